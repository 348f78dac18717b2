import Foundation
import Testing
import Waiting

/// Threads that wait for each other.
@Suite(.serialized) struct EventCounterTests {
  private final class Counters: @unchecked Sendable {
    let memory: UnsafeMutableRawPointer
    let counters: [EventCounter]
    /// Written by a counter's owner before it counts, read by those who noticed.
    let messages: UnsafeMutablePointer<Int>

    init(count: Int) {
      memory = .allocate(byteCount: count * EventCounter.byteCount, alignment: 64)
      memory.initializeMemory(
        as: UInt8.self, repeating: 0, count: count * EventCounter.byteCount)
      counters = (0..<count).map { [memory] in
        EventCounter(at: memory + $0 * EventCounter.byteCount)
      }
      messages = .allocate(capacity: count)
      messages.initialize(repeating: 0, count: count)
    }

    deinit {
      memory.deallocate()
      messages.deallocate()
    }
  }

  /// Two threads in turn, each waiting for the other, with spinning and without: no turn is missed or taken twice.
  @Test(arguments: [0, 1000, Spinning.usualNanoseconds])
  func threadsTakeTurns(spinning: Int) {
    Spinning.nanoseconds = spinning
    defer { Spinning.nanoseconds = Spinning.usualNanoseconds }
    let turns = 5000
    let shared = Counters(count: 2)
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      for turn in 1...turns {
        shared.counters[0].wait(until: UInt32(turn))
        shared.messages[1] = shared.messages[0] + 1
        shared.counters[1].advance()
      }
      done.signal()
    }
    thread.start()
    for turn in 1...turns {
      shared.messages[0] = shared.messages[1] + 1
      shared.counters[0].advance()
      shared.counters[1].wait(until: UInt32(turn))
    }
    done.wait()
    #expect(shared.messages[1] == 2 * turns)
  }

  /// Many sleep at one counter, and all are woken.
  @Test func allSleepersAreWoken() {
    Spinning.nanoseconds = 0
    defer { Spinning.nanoseconds = Spinning.usualNanoseconds }
    let shared = Counters(count: 9)
    let group = DispatchGroup()
    for index in 1...8 {
      group.enter()
      Thread {
        for round in 1...200 {
          shared.counters[0].wait(until: UInt32(round))
          shared.counters[index].advance()
        }
        group.leave()
      }.start()
    }
    for round in 1...200 {
      shared.counters[0].advance()
      for index in 1...8 { shared.counters[index].wait(until: UInt32(round)) }
    }
    #expect(group.wait(timeout: .now() + 60) == .success)
  }

  @Test func aSleeperThatNobodyWakesLooksUp() {
    let shared = Counters(count: 1)
    let start = Spinning.monotonicTime()
    shared.counters[0].sleep(until: 1, atMost: 5_000_000)
    #expect(!shared.counters[0].hasReached(1))
    #expect(Spinning.monotonicTime() - start < 60_000_000_000)
  }

  /// After 2^32 the numbers begin anew.
  @Test func numbersGoRound() {
    let shared = Counters(count: 1)
    shared.memory.storeBytes(of: UInt32.max - 1, as: UInt32.self)
    #expect(shared.counters[0].hasReached(.max - 1) && !shared.counters[0].hasReached(.max))
    shared.counters[0].advance()
    shared.counters[0].advance()
    #expect(shared.counters[0].hasReached(0) && !shared.counters[0].hasReached(1))
  }
}

@Suite(.serialized) struct SpinningTests {
  @Test func aLookIsTakenEvenWithoutPatience() {
    Spinning.nanoseconds = 0
    defer { Spinning.nanoseconds = Spinning.usualNanoseconds }
    var looks = 0
    func look(_ isOver: Bool) -> Bool {
      Spinning.look {
        looks += 1
        return isOver
      }
    }
    #expect(look(true) && looks == 1)
    #expect(!look(false) && looks > 1)
  }

  @Test func patienceEnds() {
    var looks = 0
    #expect(
      !Spinning.look {
        looks += 1
        return false
      })
    #expect(looks > 1)
  }
}

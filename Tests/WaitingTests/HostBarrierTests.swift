import Foundation
import Synchronization
import Testing
import Waiting

/// A barrier of threads over plain memory: as processes have it over shared memory.
@Suite struct HostBarrierTests {
  /// Runs `body` on so many threads, with the barrier that each has over one memory.
  private func run(_ count: Int, _ body: @escaping @Sendable (Int, HostBarrier) throws -> Void) {
    let byteCount = HostBarrier.byteCount(rankCount: count)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    defer { memory.deallocate() }
    let address = UInt(bitPattern: memory)
    let done = DispatchSemaphore(value: 0)
    for rank in 0..<count {
      Thread {
        let memory = UnsafeMutableRawPointer(bitPattern: address)!
        do {
          try body(rank, HostBarrier(at: memory, rank: rank, expected: 0..<count))
        } catch {
          Issue.record(error)
        }
        done.signal()
      }.start()
    }
    for _ in 0..<count { done.wait() }
  }

  /// Everybody adds up what all wrote before the barrier: plain numbers, which the thread sanitizer watches.
  @Test(arguments: [1, 2, 3, 5]) func whatWasWrittenBeforeIsReadAfter(count: Int) {
    let numbers = UnsafeMutablePointer<Int>.allocate(capacity: 2 * count)
    numbers.initialize(repeating: 0, count: 2 * count)
    defer { numbers.deallocate() }
    let address = UInt(bitPattern: numbers)
    let rounds = 300
    run(count) { rank, barrier in
      let numbers = UnsafeMutablePointer<Int>(bitPattern: address)!
      for round in 0..<rounds {
        // Two places in turn: some still read the one when others write to the next.
        let place = numbers + round % 2 * count
        place[rank] = round + rank
        barrier.arrive()
        try barrier.wait()
        let sum = (0..<count).reduce(0) { $0 + place[$1] }
        if sum != count * round + count * (count - 1) / 2 { Issue.record("round \(round): \(sum)") }
      }
    }
  }

  /// One vote against is known to all, and only in its round.
  @Test(arguments: [1, 2, 4]) func oneVoteAgainstIsSeenByAll(count: Int) {
    run(count) { rank, barrier in
      for round in 0..<50 {
        let objects = round % (count + 1) == rank
        barrier.arrive(vote: !objects)
        try barrier.wait()
        let isUnanimous = barrier.isUnanimous
        if isUnanimous != (round % (count + 1) == count) { Issue.record("round \(round)") }
        // All have looked before anybody votes again.
        barrier.arrive()
        try barrier.wait()
      }
    }
  }

  @Test func aBarrierWaitsForTheLast() throws {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: HostBarrier.byteCount(rankCount: 2), alignment: 64)
    memory.initializeMemory(
      as: UInt8.self, repeating: 0, count: HostBarrier.byteCount(rankCount: 2))
    defer { memory.deallocate() }
    let barriers = (0..<2).map { HostBarrier(at: memory, rank: $0, expected: 0..<2) }
    barriers[0].arrive()
    #expect(!barriers[0].isComplete())
    barriers[1].arrive()
    #expect(barriers[0].isComplete() && barriers[1].isComplete())
    // Who is not waited for waits for the others.
    let waiter = HostBarrier(at: memory, rank: 1, expected: 0..<1)
    waiter.arrive()
    #expect(waiter.isComplete())
  }
}

import Glibc
import Synchronization
import Waiting

/// Ends the process when ranks do not find each other: MPI waits for that for ever.
///
/// The main thread is inside MPI then, so a thread of its own looks at the clock. It sleeps while nobody is awaited.
public final class StartWatch: Sendable {
  /// Says to people what is wrong.
  ///
  /// It is given the rank that this one waits for (nil: MPI itself starts), and for how many seconds; it returns the
  /// exit status.
  public typealias Explanation = @Sendable (_ rank: Int?, _ seconds: Double) -> Int32

  private let seconds: Double
  private let explain: Explanation
  /// The clock's time at which the patience ends; the largest number while nobody is awaited.
  private let end = Atomic(Int.max)
  /// -1 while it is no single one.
  private let awaitedRank = Atomic(-1)
  /// Counts how often somebody was awaited.
  private let begun: EventCounter

  /// How long the others have to tell the same before this rank ends the job, in seconds.
  private static let timeForOthers: UInt32 = 3

  /// - Parameters:
  ///   - seconds: how long a rank may be awaited.
  ///   - explain: is called on the watch's own thread, at most once.
  public init(seconds: Double, explain: @escaping Explanation) {
    (self.seconds, self.explain) = (min(seconds, 1e9), explain)
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: EventCounter.byteCount, alignment: EventCounter.byteCount)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: EventCounter.byteCount)
    begun = EventCounter(at: memory)
    // Without a thread nobody watches: a process that can have none has other troubles, which others tell.
    _ = LastingThread.start(Unmanaged.passRetained(self).toOpaque()) { argument in
      if let argument { Unmanaged<StartWatch>.fromOpaque(argument).takeRetainedValue().watch() }
      return nil
    }
  }

  fileprivate func watch(_ rank: Int?, _ body: () throws -> Void) rethrows {
    awaitedRank.store(rank ?? -1, ordering: .relaxed)
    end.store(Spinning.monotonicTime() + Int(seconds * 1e9), ordering: .releasing)
    begun.advance()
    defer { end.store(.max, ordering: .releasing) }
    try body()
  }

  private func watch() -> Never {
    var seen: UInt32 = 0
    while true {
      begun.wait(until: seen &+ 1)
      seen = begun.value
      while end.load(ordering: .acquiring) != .max {
        if Spinning.monotonicTime() >= end.load(ordering: .acquiring) { endProcess() }
        usleep(100_000)
      }
    }
  }

  private func endProcess() -> Never {
    let rank = awaitedRank.load(ordering: .relaxed)
    let status = explain(rank < 0 ? nil : rank, seconds)
    // Who ends first ends all.
    sleep(Self.timeForOthers)
    _exit(status)
  }
}

extension StartWatch? {
  /// Waits for a rank, but no longer than the watch's patience; for ever without one.
  /// - Parameter rank: nil for all.
  func wait(for rank: Int?, _ body: () throws -> Void) rethrows {
    if let self { try self.watch(rank, body) } else { try body() }
  }
}

import Glibc
import Synchronization

/// Where ranks of a host meet: each tells the others through shared memory how often it has come.
///
/// What a rank wrote to shared memory before it came is seen by those that noticed.
public final class HostMeeting: Awaitable {
  /// Bytes of its segment that a rank has to leave to each meeting: a cache line, so that nobody's is disturbed.
  public static let byteCount = 64

  private let ownCounter: UnsafeMutablePointer<Atomic<Int>>?
  /// Counters of the ranks that are waited for.
  private let counters: UnsafeMutableBufferPointer<UnsafeMutablePointer<Atomic<Int>>>
  private var timesCome = 0
  /// Behind each counter: the last time at which its rank disagreed.
  private static let verdictOffset = MemoryLayout<Int>.stride
  private let window: SharedWindow

  /// - Parameters:
  ///   - window: on all of the host's ranks; its zeros at `offset` are the meeting's.
  ///   - offset: in bytes, from the beginning of each segment.
  ///   - rank: this process's number on the host.
  ///   - expected: the ranks of the host that are waited for.
  public init(in window: SharedWindow, at offset: Int, rank: Int, expected: Range<Int>) {
    func counter(_ rank: Int) -> UnsafeMutablePointer<Atomic<Int>> {
      // All zeros are the atomic number 0.
      (window.segment(ofRank: rank).baseAddress! + offset).assumingMemoryBound(
        to: Atomic<Int>.self)
    }
    self.window = window
    ownCounter = expected.contains(rank) ? counter(rank) : nil
    counters = .allocate(capacity: expected.count)
    _ = counters.initialize(from: expected.map(counter))
  }

  deinit { counters.deallocate() }

  /// Tells the others that this rank has come once more. A rank that is not waited for only begins to wait.
  /// - Parameter verdict: what ``allAgree`` asks for.
  public func come(_ verdict: Bool = true) {
    timesCome += 1
    guard let ownCounter else { return }
    if !verdict { disagreement(at: ownCounter).pointee.store(timesCome, ordering: .relaxed) }
    ownCounter.pointee.store(timesCome, ordering: .releasing)
  }

  /// Whether the verdict of all ranks that are waited for was true, once they have come and until they come again.
  public var allAgree: Bool {
    for counter in counters
    where disagreement(at: counter).pointee.load(ordering: .relaxed) == timesCome {
      return false
    }
    return true
  }

  private func disagreement(
    at counter: UnsafeMutablePointer<Atomic<Int>>
  ) -> UnsafeMutablePointer<Atomic<Int>> {
    UnsafeMutableRawPointer(counter).advanced(by: Self.verdictOffset)
      .assumingMemoryBound(to: Atomic<Int>.self)
  }

  /// Whether all ranks that are waited for have come as often as this one.
  public func isComplete() -> Bool {
    // A few looks, then the processor is offered to others: there may be more ranks than processors.
    let looksInARow = 100
    for _ in 0..<looksInARow {
      if haveAllCome { return true }
    }
    sched_yield()
    return haveAllCome
  }

  private var haveAllCome: Bool {
    for counter in counters where counter.pointee.load(ordering: .acquiring) < timesCome {
      return false
    }
    return true
  }
}

import Synchronization

/// A barrier of ranks that share memory: each shows the others how often it has arrived.
///
/// What a rank wrote to shared memory before it arrived is seen by those that waited. The memory may be any that all
/// see, so threads can be the ranks, too.
public final class HostBarrier: Awaitable {
  /// Bytes that a barrier takes: a cache line a rank, so that nobody's is disturbed.
  public static func byteCount(rankCount: Int) -> Int { rankCount * EventCounter.byteCount }

  /// What a rank shows to the others.
  private struct Sign: BitwiseCopyable {
    let memory: UnsafeMutableRawPointer
    /// How often it has arrived.
    var arrivals: EventCounter { EventCounter(at: memory) }
    /// When it voted false last; in the bytes that the counter leaves.
    var objection: UnsafeMutablePointer<Atomic<UInt32>> {
      (memory + EventCounter.usedByteCount).assumingMemoryBound(to: Atomic<UInt32>.self)
    }
  }

  private let own: Sign?
  /// Of the ranks that are waited for.
  private let signs: UnsafeMutableBufferPointer<Sign>
  private var timesArrived: UInt32 = 0

  /// - Parameters:
  ///   - memory: zeros, ``byteCount(rankCount:)`` of them, at whatever address; they outlive the barrier.
  ///   - rank: this rank's number among those that share the memory.
  ///   - expected: the ranks that are waited for.
  public init(at memory: UnsafeMutableRawPointer, rank: Int, expected: Range<Int>) {
    func sign(_ rank: Int) -> Sign { Sign(memory: memory + rank * EventCounter.byteCount) }
    own = expected.contains(rank) ? sign(rank) : nil
    signs = .allocate(capacity: expected.count)
    _ = signs.initialize(from: expected.map(sign))
  }

  deinit { signs.deallocate() }

  /// Tells the others that this rank has arrived once more. A rank that is not waited for only begins to wait.
  /// - Parameter vote: what ``isUnanimous`` asks for.
  public func arrive(vote: Bool = true) {
    timesArrived &+= 1
    guard let own else { return }
    if !vote { own.objection.pointee.store(timesArrived, ordering: .relaxed) }
    own.arrivals.advance()
  }

  /// Whether all ranks that are waited for voted true, once they have arrived and until they arrive again.
  public var isUnanimous: Bool {
    for sign in signs where sign.objection.pointee.load(ordering: .relaxed) == timesArrived {
      return false
    }
    return true
  }

  /// Whether all ranks that are waited for have arrived as often as this one.
  public func isComplete() -> Bool {
    for sign in signs where !sign.arrivals.hasReached(timesArrived) { return false }
    return true
  }

  public func sleep(atMost nanoseconds: Int) {
    for sign in signs where !sign.arrivals.hasReached(timesArrived) {
      return sign.arrivals.sleep(until: timesArrived, atMost: nanoseconds)
    }
  }
}

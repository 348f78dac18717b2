import Synchronization
import Waiting

/// Where ranks of a host meet: each tells the others through shared memory how often it has come.
///
/// What a rank wrote to shared memory before it came is seen by those that noticed.
public final class HostMeeting: Awaitable {
  /// Bytes of its segment that a rank has to leave to each meeting: a cache line, so that nobody's is disturbed.
  public static let byteCount = EventCounter.byteCount

  /// What a rank shows to the others.
  private struct Sign: BitwiseCopyable {
    let memory: UnsafeMutableRawPointer
    /// How often it has come.
    var arrivals: EventCounter { EventCounter(at: memory) }
    /// When it disagreed last; in the bytes that the counter leaves.
    var disagreement: UnsafeMutablePointer<Atomic<UInt32>> {
      (memory + EventCounter.usedByteCount).assumingMemoryBound(to: Atomic<UInt32>.self)
    }
  }

  private let own: Sign?
  /// Of the ranks that are waited for.
  private let signs: UnsafeMutableBufferPointer<Sign>
  private var timesCome: UInt32 = 0
  private let window: SharedWindow

  /// - Parameters:
  ///   - window: on all of the host's ranks; its zeros at `offset` are the meeting's.
  ///   - offset: in bytes, from the beginning of each segment.
  ///   - rank: this process's number on the host.
  ///   - expected: the ranks of the host that are waited for.
  public init(in window: SharedWindow, at offset: Int, rank: Int, expected: Range<Int>) {
    func sign(_ rank: Int) -> Sign {
      Sign(memory: window.segment(ofRank: rank).baseAddress! + offset)
    }
    self.window = window
    own = expected.contains(rank) ? sign(rank) : nil
    signs = .allocate(capacity: expected.count)
    _ = signs.initialize(from: expected.map(sign))
  }

  deinit { signs.deallocate() }

  /// Tells the others that this rank has come once more. A rank that is not waited for only begins to wait.
  /// - Parameter verdict: what ``allAgree`` asks for.
  public func come(_ verdict: Bool = true) {
    timesCome &+= 1
    guard let own else { return }
    if !verdict { own.disagreement.pointee.store(timesCome, ordering: .relaxed) }
    own.arrivals.advance()
  }

  /// Whether the verdict of all ranks that are waited for was true, once they have come and until they come again.
  public var allAgree: Bool {
    for sign in signs where sign.disagreement.pointee.load(ordering: .relaxed) == timesCome {
      return false
    }
    return true
  }

  /// Whether all ranks that are waited for have come as often as this one.
  public func isComplete() -> Bool {
    for sign in signs where !sign.arrivals.hasReached(timesCome) { return false }
    return true
  }

  public func sleep(atMost nanoseconds: Int) {
    for sign in signs where !sign.arrivals.hasReached(timesCome) {
      return sign.arrivals.sleep(until: timesCome, atMost: nanoseconds)
    }
  }
}

import Glibc
import Synchronization

/// What this rank does when, for a benchmark or a trace: spans of time, kept in memory that is allocated before.
///
/// Off, it costs a look at a variable for each span. Only the rank's main thread records.
public enum Timeline {
  /// What a span of time is spent on.
  public enum Kind: UInt8, CaseIterable, Sendable {
    /// A matrix product.
    case product
    /// A loop over elements, or over the rows of columns.
    case elementwise
    /// Random numbers: noise and dropout masks.
    case random
    /// Adam.
    case update
    /// The sum of ranks' gradients.
    case sum
    /// Waiting for other ranks, or for their messages.
    case waiting
    /// A layer's forward or backward pass, or a part of the step: it contains spans of the other kinds.
    case passage
  }

  /// One span; times in nanoseconds of the monotonic clock.
  public struct Span: Sendable {
    public let begin: Int
    public let end: Int
    public let kind: Kind
    /// Index of the name, as ``register(_:)`` gave it.
    public let name: Int
  }

  // One rank's main thread writes and reads; set before the work begins.
  nonisolated(unsafe) private static var spans: UnsafeMutableBufferPointer<Span>?
  nonisolated(unsafe) private static var count = 0
  nonisolated(unsafe) private static var isOn = false
  private static let knownNames = Mutex<[String]>([])

  /// The names of spans, by index.
  public static var names: [String] { knownNames.withLock { $0 } }

  /// The index of a name; the same for the same name. Not for hot paths.
  public static func register(_ name: String) -> Int {
    knownNames.withLock { names in
      if let index = names.firstIndex(of: name) { return index }
      names.append(name)
      return names.count - 1
    }
  }

  /// Begins to record, with room for so many spans; more are not kept.
  public static func start(capacity: Int) {
    if spans?.count != capacity {
      spans?.deallocate()
      spans = .allocate(capacity: capacity)
      spans?.initialize(repeating: Span(begin: 0, end: 0, kind: .passage, name: 0))
    }
    count = 0
    isOn = true
  }

  /// Ends the recording: what was recorded, in the order in which the spans ended.
  public static func stop() -> [Span] {
    isOn = false
    guard let spans else { return [] }
    return Array(spans.prefix(count))
  }

  /// Now, in nanoseconds of the monotonic clock.
  public static func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// Does work, and records when.
  @inline(__always)
  public static func record<Result>(
    _ kind: Kind, _ name: Int = -1, _ work: () throws -> Result
  ) rethrows -> Result {
    guard isOn else { return try work() }
    let begin = now()
    defer { add(kind, name, begin) }
    return try work()
  }

  private static func add(_ kind: Kind, _ name: Int, _ begin: Int) {
    guard let spans, count < spans.count else { return }
    spans[count] = Span(begin: begin, end: now(), kind: kind, name: name)
    count += 1
  }
}

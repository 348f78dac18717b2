import Glibc
import Synchronization
import Waiting

/// What this rank does when, for a benchmark or a trace: spans of time, kept in memory that is allocated before.
///
/// Off, it costs a look at a variable for each span. Spans are those of the rank's main thread; what other threads work
/// is only added up.
public enum Timeline {
  /// What a span of time is spent on.
  public enum Kind: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// A matrix product.
    case product
    /// A loop over elements, or over the rows of columns.
    case elementwise
    /// Random numbers: noise and dropout masks.
    case random
    /// Adam.
    case update
    /// Sums over rows that are no products.
    case sum
    /// Waiting for other ranks, or for their messages.
    case waiting
    /// A layer's forward or backward pass, or a part of the step: it contains spans of the other kinds.
    case passage
    /// A whole step: it contains all else that the step does. Its name is its number.
    case step
    /// An exchange under way, from the moment this rank enters it until it is over. These lie beside the other
    /// spans: work goes on in between.
    case interval

    /// Whether a processor works on it.
    public var isWork: Bool { isPart && self != .waiting }

    /// Whether no other span shares the time of such a span on the main thread: times of these kinds add up.
    public var isPart: Bool {
      switch self {
      case .product, .elementwise, .random, .update, .sum, .waiting: true
      case .passage, .step, .interval: false
      }
    }
  }

  /// One span; times in nanoseconds of the monotonic clock.
  public struct Span: Sendable {
    public let begin: Int
    public let end: Int
    public let kind: Kind
    /// Index of the name, as ``register(_:)`` gave it; negative for none.
    public let name: Int

    public init(begin: Int, end: Int, kind: Kind, name: Int) {
      (self.begin, self.end, self.kind, self.name) = (begin, end, kind, name)
    }
  }

  // One rank's main thread writes and reads; set before the work begins.
  nonisolated(unsafe) private static var spans: UnsafeMutableBufferPointer<Span>?
  nonisolated(unsafe) private static var count = 0
  nonisolated(unsafe) private static var isOn = false
  /// Nanoseconds of processor time, `[threads, kinds]`.
  nonisolated(unsafe) private static var work: UnsafeMutableBufferPointer<Int>?
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
  /// - Parameter threadCount: threads of this rank.
  public static func start(capacity: Int, threadCount: Int) {
    if spans?.count != capacity {
      spans?.deallocate()
      spans = .allocate(capacity: capacity)
      spans?.initialize(repeating: Span(begin: 0, end: 0, kind: .passage, name: 0))
    }
    count = 0
    let workCount = threadCount * Kind.allCases.count
    if work?.count != workCount {
      work?.deallocate()
      work = .allocate(capacity: workCount)
    }
    work?.initialize(repeating: 0)
    isOn = true
  }

  /// Nanoseconds of processor time that all threads of this rank have spent on instructions of a kind since the
  /// recording began.
  public static func work(_ kind: Kind) -> Int {
    guard let work else { return 0 }
    let kinds = Kind.allCases.count
    return stride(from: Int(kind.rawValue), to: work.count, by: kinds).reduce(0) { $0 + work[$1] }
  }

  /// Whether threads are to record what they do.
  @inline(__always)
  public static var isRecording: Bool { isOn }

  /// The same as ``record(_:_:_:)`` for one of the rank's threads: the main thread, number 0, keeps the span, and all
  /// add up their processor time.
  public static func record(
    _ kind: Kind, _ name: Int = -1, thread: Int, _ work: () -> Void
  ) {
    let (begin, processorTime) = (now(), threadTime())
    work()
    if kind.isPart {
      Self.work?[thread * Kind.allCases.count + Int(kind.rawValue)] += threadTime() - processorTime
    }
    if thread == 0 { add(kind, name, begin) }
  }

  /// Processor time of this thread, in nanoseconds.
  private static func threadTime() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// Ends the recording: what was recorded, in the order in which the spans ended.
  public static func stop() -> [Span] {
    isOn = false
    guard let spans else { return [] }
    return Array(spans.prefix(count))
  }

  /// Now, in nanoseconds of the monotonic clock.
  public static func now() -> Int { Spinning.monotonicTime() }

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

  /// The beginning of a span that is not the time of one call, for ``end(_:_:begun:)``; nil while nothing is recorded.
  public static func begin() -> Int? { isOn ? now() : nil }

  /// The end of a span that ``begin()`` began.
  public static func end(_ kind: Kind, _ name: Int, begun: Int?) {
    guard isOn, let begun else { return }
    add(kind, name, begun)
  }

  private static func add(_ kind: Kind, _ name: Int, _ begin: Int) {
    guard let spans, count < spans.count else { return }
    spans[count] = Span(begin: begin, end: now(), kind: kind, name: name)
    count += 1
  }
}

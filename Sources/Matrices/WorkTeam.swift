import Glibc
import Synchronization
import Waiting

/// The threads that share the work of one rank: the caller and its helpers.
///
/// A piece of work is done by one thread from beginning to end. The caller does not wait for a helper that has not
/// begun: where other programs take the processors it does the helper's part itself.
public enum WorkTeam {
  /// How many threads share the work; set once, before the work begins.
  public static var threadCount: Int { sharedCount.load(ordering: .relaxed) }
  private static let sharedCount = Atomic<Int>(1)

  /// As many threads as a rank can have.
  public static let mostThreads = 1024

  /// Room for all helpers; those started are there until the process ends.
  nonisolated(unsafe) private static let helpers =
    UnsafeMutablePointer<Helper>.allocate(capacity: mostThreads)
  private static let startedCount = Mutex<Int>(0)
  /// Whether the helpers have work. Who finds them busy does the work alone.
  private static let isBusy = Atomic<Bool>(false)

  /// Sets ``threadCount`` and starts the threads.
  /// - Throws: ``ThreadSupplyError`` where the system gives no more.
  public static func setThreadCount(_ count: Int) throws(ThreadSupplyError) {
    let wanted = min(max(count, 1), mostThreads)
    try startedCount.withLock { (started) throws(ThreadSupplyError) in
      while started < wanted - 1 {
        (helpers + started).initialize(to: Helper())
        let code = Helper.start(helpers + started)
        guard code == 0 else {
          throw ThreadSupplyError(wanted: wanted, possible: started + 1, code: code)
        }
        started += 1
      }
    }
    sharedCount.store(wanted, ordering: .releasing)
  }

  /// Work on the pieces `begin ..< end`; the context is what ``share(_:of:grain:with:)`` was given.
  package typealias Work =
    @convention(c) (_ context: UnsafeRawPointer, _ begin: Int, _ end: Int) -> Void

  /// Does `count` pieces of work, each thread a run of neighbours. Nothing is allocated.
  /// - Parameter grain: pieces that are worth a thread.
  @inline(__always)
  package static func share<Context>(
    _ work: Work, of count: Int, grain: Int = 1, with context: borrowing Context
  ) where Context: BitwiseCopyable {
    withUnsafePointer(to: context) { context in
      let threads = min(threadCount, count / grain)
      if threads <= 1 {
        work(UnsafeRawPointer(context), 0, count)
      } else {
        share(work, of: count, with: UnsafeRawPointer(context), threads: threads)
      }
    }
  }

  private static func share(
    _ work: Work, of count: Int, with context: UnsafeRawPointer, threads: Int
  ) {
    guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else { return work(context, 0, count) }
    defer { isBusy.store(false, ordering: .releasing) }
    for thread in 1..<threads {
      helpers[thread - 1].begin(
        Assignment(
          work: work, context: context, begin: count * thread / threads,
          end: count * (thread + 1) / threads))
    }
    work(context, 0, count / threads)
    for thread in 1..<threads { helpers[thread - 1].finish() }
  }

  fileprivate struct Assignment: BitwiseCopyable {
    let work: Work
    let context: UnsafeRawPointer
    let begin, end: Int

    func run() { work(context, begin, end) }
  }
}

/// Threads that the system does not give.
public struct ThreadSupplyError: Error, CustomStringConvertible {
  /// Threads wanted, the one that asks among them.
  public let wanted: Int
  /// Those that there are.
  public let possible: Int
  let code: Int32

  public var description: String {
    """
    \(wanted) threads are wanted, but the system gives \(possible): \(String(cString: strerror(code))). \
    Take fewer with --threads, or raise the limits of processes and memory (ulimit -u, ulimit -v)
    """
  }
}

/// A thread that waits for work, does it, and waits again; it never ends.
private struct Helper {
  /// What the helper's thread sees as well.
  private struct Post {
    /// Bytes of its memory: a cache line for each part.
    static let byteCount = 4 * EventCounter.byteCount
    let memory: UnsafeMutableRawPointer
    /// Counted up by the one who has work, and by the helper when it has done some.
    let begun, done: EventCounter
    /// The number of the work that nobody has begun; 0 if there is none. Who takes it away has the work.
    let offer: UnsafeMutablePointer<Atomic<UInt32>>
    let assignment: UnsafeMutablePointer<WorkTeam.Assignment>

    /// - Parameter memory: zeros, for good.
    init(at memory: UnsafeMutableRawPointer) {
      let line = EventCounter.byteCount
      self.memory = memory
      begun = EventCounter(at: memory)
      done = EventCounter(at: memory + line)
      offer = (memory + 2 * line).assumingMemoryBound(to: Atomic<UInt32>.self)
      assignment = (memory + 3 * line).assumingMemoryBound(to: WorkTeam.Assignment.self)
    }

    /// Whether the work of that number is now the caller's to do.
    func take(_ number: UInt32) -> Bool {
      offer.pointee.compareExchange(expected: number, desired: 0, ordering: .acquiringAndReleasing)
        .exchanged
    }
  }

  private let post: Post
  /// How often there was work, and how often the helper has done it.
  private var (workCount, doneCount): (UInt32, UInt32) = (0, 0)

  init() {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: Post.byteCount, alignment: EventCounter.byteCount)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: Post.byteCount)
    post = Post(at: memory)
  }

  /// Starts the thread of a helper that stays where it is; returns an error number, 0 for none.
  static func start(_ helper: UnsafeMutablePointer<Helper>) -> Int32 {
    LastingThread.start(helper.pointee.post.memory) { argument in
      if let argument { Helper.work(Post(at: argument)) }
      return nil
    }
  }

  /// Offers work to the helper.
  mutating func begin(_ work: WorkTeam.Assignment) {
    post.assignment.pointee = work
    workCount &+= 1
    if workCount == 0 { workCount = 1 }
    post.offer.pointee.store(workCount, ordering: .releasing)
    post.begun.advance()
  }

  /// Sees the work done: by the helper if it has begun, else by the caller.
  mutating func finish() {
    if post.take(workCount) { return post.assignment.pointee.run() }
    doneCount &+= 1
    post.done.wait(until: doneCount)
  }

  private static func work(_ post: Post) -> Never {
    var seen: UInt32 = 0
    while true {
      post.begun.wait(until: seen &+ 1)
      seen = post.begun.value
      let number = post.offer.pointee.load(ordering: .acquiring)
      guard number != 0, post.take(number) else { continue }
      post.assignment.pointee.run()
      post.done.advance()
    }
  }
}

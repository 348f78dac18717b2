import COpenMP
import Synchronization

/// The threads that share the work of one rank: libgomp's, GCC's OpenMP library.
///
/// A piece of work is done by one thread from beginning to end.
public enum WorkTeam {
  /// How many threads share the work; set once, before the work begins.
  public static var threadCount: Int { sharedCount.load(ordering: .relaxed) }
  private static let sharedCount = Atomic<Int>(1)

  /// Sets ``threadCount``.
  public static func setThreadCount(_ count: Int) {
    sharedCount.store(max(count, 1), ordering: .relaxed)
  }

  /// Processors that this process may run on: those of its affinity mask.
  public static var usableProcessors: Int { Int(omp_get_num_procs()) }

  /// Work on the pieces `begin ..< end`; the context is what ``share(_:of:grain:with:)`` was given.
  typealias Work = @convention(c) (_ context: UnsafeRawPointer, _ begin: Int, _ end: Int) -> Void

  private struct Assignment {
    let work: Work
    let context: UnsafeRawPointer
    let count: Int
  }

  /// Does `count` pieces of work, each thread a run of neighbours. Nothing is allocated.
  /// - Parameter grain: pieces that are worth a thread.
  @inline(__always)
  static func share<Context>(
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
    var assignment = Assignment(work: work, context: context, count: count)
    // The call that a compiler makes of `#pragma omp parallel` (libgomp's ABI).
    GOMP_parallel(
      { raw in
        guard let raw else { return }
        let assignment = raw.assumingMemoryBound(to: Assignment.self).pointee
        let (thread, threads) = (Int(omp_get_thread_num()), Int(omp_get_num_threads()))
        assignment.work(
          assignment.context, assignment.count * thread / threads,
          assignment.count * (thread + 1) / threads)
      }, &assignment, UInt32(threads), 0)
  }
}

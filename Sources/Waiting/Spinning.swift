import CLinux
import Glibc
import Synchronization

/// Looking again and again while one waits: quick where processors are free, a waste where others need them.
public enum Spinning {
  /// For how long whoever waits looks before it sleeps, in nanoseconds.
  ///
  /// Longer than most waits of a step, so that an idle machine loses nothing; far shorter than a time slice, so that
  /// another program that takes a processor costs little more than that.
  public static let usualNanoseconds = 50_000

  /// How often whoever waits without spinning offers its processor before it sleeps: to sleep and be woken takes longer
  /// than to let the others come.
  private static let offers = 50

  private static let duration = Atomic<Int>(usualNanoseconds)

  /// For how long whoever waits looks before it sleeps, in nanoseconds; 0 where ranks or threads share processors: then
  /// it offers its processor to others between looks.
  public static var nanoseconds: Int {
    get { duration.load(ordering: .relaxed) }
    set { duration.store(newValue, ordering: .relaxed) }
  }

  /// Looks until something is over, or for a short while; tells which. The first look is always taken.
  @inline(__always)
  public static func look(_ isOver: () throws -> Bool) rethrows -> Bool {
    if try isOver() { return true }
    let duration = nanoseconds
    guard duration > 0 else {
      for _ in 0..<offers {
        sched_yield()
        if try isOver() { return true }
      }
      return false
    }
    // Looks between two readings of the clock.
    let looksInARow = 32
    let end = monotonicTime() + duration
    repeat {
      for _ in 0..<looksInARow {
        pauseProcessor()
        if try isOver() { return true }
      }
    } while monotonicTime() < end
    return false
  }

  /// Now, in nanoseconds of the monotonic clock.
  public static func monotonicTime() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}

import Matrices
import VectorKernels
import Waiting

/// What this rank's threads reach with nothing but multiply-adds in registers: the floor under every product's time.
public enum PeakRate {
  private struct Work: BitwiseCopyable {
    let rounds: Int
    let sink: UnsafeMutablePointer<Double>
  }

  /// Floating-point operations a second, of float32, of all threads together; a multiply-add counts as two.
  /// - Parameter seconds: how long to measure, more or less.
  public static func measure(seconds: Double) -> Double {
    let rounds = 20_000
    let operations =
      2 * Double(rounds * VectorMath.kernels.pointee.multiplyAddsARound() * WorkTeam.threadCount)
    let sink = UnsafeMutablePointer<Double>.allocate(capacity: WorkTeam.threadCount)
    defer { sink.deallocate() }
    let end = Spinning.monotonicTime() + Int(seconds * 1e9)
    var best = 0.0
    repeat {
      let begin = Spinning.monotonicTime()
      WorkTeam.share(
        { context, begin, end in
          let work = context.assumingMemoryBound(to: Work.self).pointee
          for thread in begin..<end {
            work.sink[thread] = VectorMath.kernels.pointee.multiplyAdds(work.rounds)
          }
        }, of: WorkTeam.threadCount, with: Work(rounds: rounds, sink: sink))
      best = max(best, operations / Double(Spinning.monotonicTime() - begin) * 1e9)
    } while Spinning.monotonicTime() < end
    return best
  }
}

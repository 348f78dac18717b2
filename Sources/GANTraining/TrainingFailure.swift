import Matrices
import NeuralNetwork

/// A state that training cannot go on from. All ranks find it in the same step, without a message of their own.
public enum TrainingFailure: Error, CustomStringConvertible {
  /// NaN or infinity in a loss or a gradient.
  case notFinite(place: String, step: Int)
  /// Ranks no longer hold the same bits.
  case diverged(rank: String, tensor: String, step: Int, lastAgreedStep: Int)
  /// Rank 0 could not do something that all ranks were waiting for; it says itself what.
  case rootFailed

  public var description: String {
    switch self {
    case .notFinite(let place, let step):
      """
      NaN or infinity in \(place), step \(step). The last checkpoint is from before. \
      Try a lower --learning-rate, or another --seed
      """
    case .diverged(let rank, let tensor, let step, let lastAgreedStep):
      """
      \(rank) holds other bits than the other ranks in \(tensor), seen after step \(step); \
      after step \(lastAgreedStep) all agreed. Its memory or processor may be faulty. \
      No checkpoint was written from this state: --resume latest goes on from the last good one
      """
    case .rootFailed: "rank 0 failed"
    }
  }
}

extension ParameterArena {
  /// The first tensor with a NaN or an infinity, in the order in which backward computes them.
  func firstNonFiniteTensor() -> String? {
    layout.entries.reversed().first { !matrix($0).buffer.allSatisfy(\.isFinite) }?.name
  }
}

import Glibc

/// Where D's loss and probabilities end if both players do their best, and where if D wins.
///
/// D learns that real images are real with the probability `t` = 1 - label smoothing, and G's images with 0. If both
/// are equally frequent in every place, D's best answer is `t / 2` (Goodfellow et al., 2014, with `t` = 1).
public struct GameBalance: Sendable {
  /// D's probability of "real" for all images where G's are as good as real ones.
  public let idealProbability: Double
  /// D's loss there, in nats.
  public let idealDiscriminatorLoss: Double
  /// D's loss if it tells all images apart, in nats: it cannot be less.
  public let leastDiscriminatorLoss: Double

  /// - Parameter labelSmoothing: of the settings, from 0 to below 1.
  public init(labelSmoothing: Double) {
    let target = 1 - labelSmoothing
    func term(_ weight: Double, _ probability: Double) -> Double {
      weight == 0 ? 0 : -weight * log(probability)
    }
    idealProbability = target / 2
    idealDiscriminatorLoss =
      term(target, idealProbability) + term(1 - target, 1 - idealProbability)
      + term(1, 1 - idealProbability)
    leastDiscriminatorLoss = term(target, target) + term(1 - target, 1 - target)
  }
}

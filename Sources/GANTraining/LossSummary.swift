/// Means over a global batch (or over several): the same on every rank.
public struct LossSummary: Equatable, Sendable, Codable {
  /// D's loss: on real against 0.9, on fake against 0, in nats.
  public var discriminatorLoss = 0.0
  /// G's loss: D(G(z)) against 1, in nats.
  public var generatorLoss = 0.0
  /// Mean D(real).
  public var probabilityOfReal = 0.0
  /// Mean D(G(z)) of the discriminator step.
  public var probabilityOfFake = 0.0

  public init() {}

  /// Whether all four are numbers.
  var isFinite: Bool {
    discriminatorLoss.isFinite && generatorLoss.isFinite && probabilityOfReal.isFinite
      && probabilityOfFake.isFinite
  }
}

extension LossSummary {
  static func += (sum: inout LossSummary, other: LossSummary) {
    sum.discriminatorLoss += other.discriminatorLoss
    sum.generatorLoss += other.generatorLoss
    sum.probabilityOfReal += other.probabilityOfReal
    sum.probabilityOfFake += other.probabilityOfFake
  }

  static func / (sum: LossSummary, count: Double) -> LossSummary {
    var mean = sum
    mean.discriminatorLoss /= count
    mean.generatorLoss /= count
    mean.probabilityOfReal /= count
    mean.probabilityOfFake /= count
    return mean
  }
}

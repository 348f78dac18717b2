/// How two sets lie among each other, by the balls around images that reach to their k-th neighbour.
public struct Neighbourhoods: Equatable, Sendable {
  /// The share of generated images within the ball of a real one, k = 3 (Kynkäänniemi et al., 2019): quality.
  public let precision: Double
  /// The share of real images within the ball of a generated one, k = 3: variety.
  public let recall: Double
  /// How many real images' balls a generated image lies in, on average, over k = 5 (Naeem et al., 2020): quality. It
  /// can be above 1.
  public let density: Double
  /// The share of real images that have a generated one in their ball, k = 5 (Naeem et al., 2020): variety.
  public let coverage: Double

  /// - Parameters:
  ///   - generated: the generated images compared with the real ones and their balls.
  ///   - real: the real images compared with the generated ones and their balls.
  ///   - realWithin: the real images compared with themselves.
  public init(
    generated: [ImageComparison], real: [ImageComparison], realWithin: [ImageComparison]
  ) {
    precondition(!generated.isEmpty && !real.isEmpty && real.count == realWithin.count)
    func share(_ count: Int, of set: [ImageComparison]) -> Double {
      Double(count) / Double(set.count)
    }
    precision = share(generated.count { $0.ballsOfThird > 0 }, of: generated)
    recall = share(real.count { $0.ballsOfThird > 0 }, of: real)
    density =
      share(generated.reduce(0) { $0 + $1.ballsOfFifth }, of: generated)
      / Double(ImageComparison.neighbourCount)
    coverage = share(zip(real, realWithin).count { $0.nearest.0 < $1.nearest.4 }, of: real)
  }
}

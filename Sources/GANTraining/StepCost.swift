/// What a step's matrix products cost, from the networks' shapes.
public enum StepCost {
  /// Floating-point operations of all products of a step over `batchSize` samples; a multiply-add counts as two.
  public static func productOperations(_ architecture: Architecture, batchSize: Int) -> Double {
    func weights(_ sizes: [Int]) -> [Int] { zip(sizes, sizes.dropFirst()).map(*) }
    let generator = weights(
      [architecture.noiseSize] + architecture.generatorHiddenSizes + [architecture.imageSize])
    let discriminator = weights(
      [architecture.imageSize] + architecture.discriminatorHiddenSizes + [1])
    func all(_ weights: [Int]) -> Int { weights.reduce(0, +) }
    func behindFirst(_ weights: [Int]) -> Int { all(weights) - (weights.first ?? 0) }
    // Rows of a sample that each weight is multiplied with.
    let forward = 2 * all(generator) + 3 * all(discriminator)
    let weightGradients = all(generator) + 2 * all(discriminator)
    // Nothing flows back beyond a first layer, but through D into the images of G's step.
    let inputGradients =
      behindFirst(generator) + 2 * behindFirst(discriminator) + all(discriminator)
    return 2 * Double(batchSize) * Double(forward + weightGradients + inputGradients)
  }
}

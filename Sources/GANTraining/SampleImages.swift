import Glibc
import Matrices
import Memory
import NeuralNetwork
import Randomness

/// Images that G makes in inference mode. Ranks do not meet here, and training is not disturbed.
public enum SampleImages {
  /// G's images `[count, pixels]` in [-1, 1] from fixed noise: the same noise at every call.
  public static func grid(of count: Int, from state: TrainingState, random: RandomSource) throws
    -> [Float]
  {
    try images(from: state, count: count) {
      random.fillNormals($0, stream: RandomStream.sampleGrid, step: 0, firstSample: 0)
    }
  }

  /// Images on the straight line between two points of the noise's space.
  /// - Returns: the positions α from 0 to 1, and the images `[count, pixels]` of (1 - α) z1 + α z2.
  public static func interpolation(
    of count: Int, from state: TrainingState, random: RandomSource
  ) throws -> (alphas: [Double], images: [Float]) {
    precondition(count > 1)
    let alphas = (0..<count).map { Double($0) / Double(count - 1) }
    let workspace = Workspace()
    defer { withExtendedLifetime(workspace) {} }
    let ends = try workspace.matrix(rows: 2, columns: state.architecture.noiseSize)
    random.fillNormals(ends, stream: RandomStream.interpolation, step: 0, firstSample: 0)
    let images = try images(from: state, count: count) { noise in
      for (row, alpha) in alphas.enumerated() {
        for column in 0..<noise.columns {
          noise[row, column] = ends[0, column] * Float(1 - alpha) + ends[1, column] * Float(alpha)
        }
      }
    }
    return (alphas, images)
  }

  /// D's probabilities that G's images are real, before anything is learned.
  public static func untrainedProbabilities(
    of count: Int, from state: TrainingState, random: RandomSource
  ) throws -> [Double] {
    let batch = DistributedBatch.solo(rows: count)
    let images = try Signal(
      features: state.architecture.imageSize, differentiablePasses: 0, of: batch)
    let generator = try Generator(
      state.generatorParameters, state.architecture, state: state.generator,
      weights: ProductWeights(state.generator.parameters), images: images, batch: batch)
    random.fillNormals(
      generator.noise.value, stream: RandomStream.untrainedSamples, step: 0, firstSample: 0)
    let discriminator = try Discriminator(
      state.discriminatorParameters, state.architecture,
      weights: ProductWeights(state.discriminator.parameters), images: images, dropout: 0,
      isTrained: false, batch: batch)
    let program = Program(batch)
    try program.everyWorker { rows, list in
      try generator.forwardByRunningStatistics(rows, in: list)
      try discriminator.forward(rows, in: list)
    }
    defer { withExtendedLifetime((generator, discriminator, batch)) {} }
    for stage in program.finish() { _ = try stage.run() }
    return discriminator.logits.value.buffer.map { 1 / (1 + exp(-Double($0))) }
  }

  /// G's images `[count, pixels]` from noise `[count, noiseSize]` that the caller fills in.
  static func images(
    _ parameters: Generator.Parameters, _ architecture: Architecture, state: NetworkState,
    count: Int, fillNoise: (Matrix) -> Void
  ) throws -> [Float] {
    let batch = DistributedBatch.solo(rows: count)
    let images = try Signal(features: architecture.imageSize, differentiablePasses: 0, of: batch)
    let purpose = "\(count) images of \(architecture.imageSize) pixels"
    let byteCount = try Memory.byteCount(of: images.value.count, Float.self, for: purpose)
    // The array that is returned has as many, which shows now as well as after the work.
    try Memory.demand(byteCount, for: purpose)
    let generator = try Generator(
      parameters, architecture, state: state, weights: ProductWeights(state.parameters),
      images: images, batch: batch)
    defer { withExtendedLifetime((generator, batch)) {} }
    fillNoise(generator.noise.value)
    let program = Program(batch)
    try program.everyWorker { try generator.forwardByRunningStatistics($0, in: $1) }
    for stage in program.finish() { _ = try stage.run() }
    try Memory.demand(byteCount, for: purpose)
    return Array(images.value.buffer)
  }

  private static func images(
    from state: TrainingState, count: Int, fillNoise: (Matrix) -> Void
  ) throws -> [Float] {
    try images(
      state.generatorParameters, state.architecture, state: state.generator, count: count,
      fillNoise: fillNoise)
  }
}

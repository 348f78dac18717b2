import Collectives
import Matrices
import NeuralNetwork
import Randomness

/// Images that G makes from fixed noise in inference mode, over all ranks, as a file of images would hold them: whole
/// grey levels from 0 to 255, which is what real images are.
public final class GeneratedImages {
  private static let imagesAtATime = 256
  private let generator: Generator
  private let batch: DistributedBatch
  private let images: Signal
  private let stages: [Program.Stage]
  private let random: RandomSource
  private let rows: SharedRows<UInt8>

  /// Plans the work; the images are those of the parameters' and statistics' values at the time of ``make(_:)``.
  /// Every rank must call this.
  /// - Parameters:
  ///   - count: how many images.
  ///   - seed: determines the noise.
  /// - Throws: `KernelError`, `MemoryError`, or what the collective throws.
  public init(
    _ parameters: Generator.Parameters, _ architecture: Architecture, state: NetworkState,
    count: Int, seed: UInt64, over collective: any Collective
  ) throws {
    // Rows have the same bits whatever the rows beside them: a rank does its own by itself.
    batch = DistributedBatch.solo(rows: Self.imagesAtATime)
    random = RandomSource(seed: seed)
    images = try Signal(features: architecture.imageSize, differentiablePasses: 0, of: batch)
    let generator = try Generator(
      parameters, architecture, state: state, weights: ProductWeights(state.parameters),
      images: images, batch: batch)
    self.generator = generator
    let program = Program(batch)
    try program.everyWorker { try generator.forwardByRunningStatistics($0, in: $1) }
    stages = program.finish()
    rows = try SharedRows(
      "generated.images", count: count, elementsOfRow: architecture.imageSize, over: collective)
  }

  /// Makes the images. Every rank must call this.
  /// - Parameter use: is given `[count, pixels]`.
  /// - Throws: what `use` or the collective throws.
  public func make<Result>(_ use: (UnsafeBufferPointer<UInt8>) throws -> Result) throws -> Result {
    let size = images.value.columns
    return try rows.run {
      for begin in stride(from: rows.own.lowerBound, to: rows.own.upperBound, by: batch.rows) {
        random.fillNormals(
          generator.noise.value, stream: RandomStream.evaluation, step: 0, firstSample: begin)
        for stage in stages { _ = try stage.run() }
        let count = min(batch.rows, rows.own.upperBound - begin)
        for index in 0..<count * size {
          rows.elements[begin * size + index] = Self.greyLevel(images.value.elements[index])
        }
      }
    } use: {
      try use(UnsafeBufferPointer($0))
    }
  }

  /// The grey level of a number in [-1, 1]; what is no number is black.
  static func greyLevel(_ value: Float) -> UInt8 {
    guard value > -1 else { return 0 }
    return UInt8(min((value * 0.5 + 0.5) * 255, 255).rounded())
  }
}

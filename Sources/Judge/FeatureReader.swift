import Collectives
import ImageMetrics
import Matrices
import NeuralNetwork

/// What the judge says of a set of images.
public struct JudgedImages: Sendable {
  /// `[count, 128]`.
  public let features: FeatureSet
  /// `[count, classes]`.
  public let logits: [Float]
}

/// Gives images to a judge, each rank its rows.
final class FeatureReader {
  private static let imagesAtATime = 256
  private let classifier: Classifier
  private let batch: DistributedBatch
  private let images: Signal
  private let stages: [Program.Stage]
  private let count: Int
  private let rows: SharedRows<Float>
  private let featureCount: Int

  /// Every rank must call this.
  /// - Parameter count: of images.
  /// - Throws: `KernelError`, `MemoryError`, or what the collective throws.
  init(
    _ layout: Classifier.Parameters, _ parameters: ParameterArena, pixels: Int, count: Int,
    over collective: any Collective
  ) throws {
    self.count = count
    // Rows have the same bits whatever the rows beside them: a rank does its own by itself.
    batch = DistributedBatch.solo(rows: Self.imagesAtATime)
    images = try Signal(features: pixels, differentiablePasses: 0, of: batch)
    let classifier = try Classifier(
      layout, weights: ProductWeights(parameters), images: images, isTrained: false, batch: batch)
    self.classifier = classifier
    let program = Program(batch)
    try program.everyWorker { try classifier.forward($0, in: $1) }
    stages = program.finish()
    featureCount = classifier.features.value.columns
    rows = try SharedRows(
      "judge.features", count: count, elementsOfRow: featureCount + classifier.logits.value.columns,
      over: collective)
  }

  /// Features and logits of images. Every rank must call this.
  /// - Parameters:
  ///   - pixels: `[count, pixels]`; a rank reads its own rows.
  ///   - name: of the set, for errors.
  /// - Throws: ``JudgeError`` for features that are not finite; what the collective throws.
  func read(_ pixels: UnsafeBufferPointer<UInt8>, name: String) throws -> JudgedImages {
    let size = images.value.columns
    precondition(pixels.count == count * size)
    let (features, logits) = (classifier.features.value, classifier.logits.value)
    let width = features.columns + logits.columns
    return try rows.run {
      for begin in stride(from: rows.own.lowerBound, to: rows.own.upperBound, by: batch.rows) {
        let count = min(batch.rows, rows.own.upperBound - begin)
        VectorMath.pixelsToFloats(
          UnsafeBufferPointer(rebasing: pixels[begin * size..<(begin + count) * size]),
          into: images.value.rows(0..<count))
        for stage in stages { _ = try stage.run() }
        for row in 0..<count {
          let out = rows.elements.baseAddress! + (begin + row) * width
          out.update(from: features.rows(row..<row + 1).elements, count: features.columns)
          (out + features.columns).update(
            from: logits.rows(row..<row + 1).elements, count: logits.columns)
        }
      }
    } use: { all in
      guard all.allSatisfy(\.isFinite) else { throw JudgeError.features(set: name) }
      var features: [Float] = []
      var logits: [Float] = []
      features.reserveCapacity(count * featureCount)
      for row in 0..<count {
        features += all[row * width..<row * width + featureCount]
        logits += all[row * width + featureCount..<(row + 1) * width]
      }
      return JudgedImages(
        features: FeatureSet(features, size: featureCount), logits: logits)
    }
  }
}

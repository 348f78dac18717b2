import Collectives
import ImageMetrics
import MNISTFamily
import Matrices

/// Compares generated images with those of a data set, over all ranks.
///
/// What is known of the real images is kept: they are read and compared with each other once.
public final class Evaluator {
  /// A set of images, and each one's neighbours in it.
  private struct Reference {
    let images: JudgedImages
    let moments: FeatureMoments
    let within: [ImageComparison]
    let radii: FeatureComparison.Radii

    init(_ images: JudgedImages, _ within: [ImageComparison]) {
      (self.images, self.within) = (images, within)
      moments = FeatureMoments(images.features)
      radii = FeatureComparison.Radii(within)
    }
  }

  /// Images that are needed to find a fifth neighbour.
  public static let leastCount = ImageComparison.neighbourCount + 1

  public let judge: Judge
  /// How many generated images are compared.
  public let generatedCount: Int
  public let judgeAccuracy: Double
  private let collective: any Collective
  private let generatedReader: FeatureReader
  private let test, training: Reference
  private let floor: SetDistance
  /// All training images, and what is known of the test images' distances to them; nil if copies are not looked for.
  private let allTraining: (features: FeatureSet, ofTest: [ImageComparison])?
  private var rows: [Int: SharedRows<ImageComparison>] = [:]

  /// Reads the real images. Every rank must call this.
  /// - Parameters:
  ///   - training: the images that G learns from.
  ///   - test: images that it never sees.
  ///   - count: generated images; as many test images and training images are taken, if there are as many.
  ///   - findsCopies: whether generated images are compared with every training image.
  /// - Throws: ``JudgeError``, `EigenvalueError`, `KernelError`, `MemoryError`, or what the collective throws.
  public init(
    _ judge: Judge, training: ImageDataSet, test: ImageDataSet, count: Int, findsCopies: Bool,
    over collective: any Collective
  ) throws {
    (self.judge, self.collective, generatedCount) = (judge, collective, count)
    for (name, found) in [
      ("generated images", count), ("test images", test.imageCount),
      ("training images", training.imageCount),
    ] where found < Self.leastCount {
      throw JudgeError.tooFewImages(set: name, count: found, least: Self.leastCount)
    }
    generatedReader = try judge.reader(count: count)
    func read(_ set: ImageDataSet, _ count: Int, _ name: String) throws -> JudgedImages {
      try set.withUnsafePixels {
        try judge.read(
          UnsafeBufferPointer(rebasing: $0[..<(count * set.pixelsPerImage)]), name: name)
      }
    }
    let testImages = try read(test, min(count, test.imageCount), "test images")
    let trainingCount = min(count, training.imageCount)
    let trainingImages = try read(
      training, findsCopies ? training.imageCount : trainingCount, "training images")
    let sample = JudgedImages(
      features: trainingImages.features.prefix(trainingCount),
      logits: Array(trainingImages.logits.prefix(trainingCount * judge.classCount)))
    var rows: [Int: SharedRows<ImageComparison>] = [:]
    func compare(_ comparison: FeatureComparison) throws -> [ImageComparison] {
      try Self.compare(comparison, over: collective, rows: &rows)
    }
    let testReference = Reference(
      testImages, try compare(FeatureComparison(within: testImages.features)))
    let trainingReference = Reference(
      sample, try compare(FeatureComparison(within: sample.features)))
    (self.test, self.training) = (testReference, trainingReference)
    floor = try Self.distance(trainingReference, testReference, compare)
    allTraining =
      findsCopies
      ? (
        trainingImages.features,
        try compare(
          FeatureComparison(testImages.features, with: trainingImages.features, .neighbours))
      ) : nil
    judgeAccuracy = test.withUnsafeLabels {
      Self.accuracy(testImages.logits, labels: $0, classCount: judge.classCount)
    }
    self.rows = rows
  }

  /// The test images that generated images are compared with.
  public var testImages: JudgedImages { test.images }
  /// Features of all training images; nil if copies are not looked for.
  public var trainingFeatures: FeatureSet? { allTraining?.features }

  private static func accuracy(
    _ logits: [Float], labels: UnsafeBufferPointer<UInt8>, classCount: Int
  ) -> Double {
    let count = logits.count / classCount
    let right = (0..<count).count { row in
      let own = logits[row * classCount..<(row + 1) * classCount]
      var best = own.startIndex
      for index in own.indices where own[index] > own[best] { best = index }
      return best - own.startIndex == Int(labels[row])
    }
    return Double(right) / Double(count)
  }

  private static func compare(
    _ comparison: FeatureComparison, over collective: any Collective,
    rows: inout [Int: SharedRows<ImageComparison>]
  ) throws -> [ImageComparison] {
    let count = comparison.count
    let shared =
      try rows[count] ?? SharedRows("judge.neighbours", count: count, over: collective)
    rows[count] = shared
    return try shared.run {
      let own = UnsafeMutableBufferPointer(rebasing: shared.elements[shared.own])
      own.update(repeating: ImageComparison())
      comparison.run(shared.own, into: own)
    } use: {
      Array($0)
    }
  }

  /// What `first` is to `second`, which is taken for real.
  private static func distance(
    _ first: Reference, _ second: Reference,
    _ compare: (FeatureComparison) throws -> [ImageComparison]
  ) throws -> SetDistance {
    let (these, those) = (first.images.features, second.images.features)
    let across = try compare(FeatureComparison(these, with: those, .balls(second.radii)))
    let back = try compare(FeatureComparison(those, with: these, .balls(first.radii)))
    let neighbourhoods = Neighbourhoods(
      generated: across, real: back, realWithin: second.within)
    return SetDistance(
      frechet: try FrechetDistance.between(first.moments, second.moments),
      kernel: KernelDistance.between(
        firstWithin: first.within, secondWithin: second.within, across: across),
      precision: neighbourhoods.precision, recall: neighbourhoods.recall,
      density: neighbourhoods.density, coverage: neighbourhoods.coverage)
  }

  /// Judges generated images. Every rank must call this.
  /// - Parameters:
  ///   - pixels: `[generatedCount, pixels]`, 0 to 255, on every rank those of its own host at least.
  ///   - closestCount: how many pairs of a generated and its nearest training image are told.
  /// - Returns: the evaluation, with the same bits on every rank, and what was said of the images.
  /// - Throws: ``JudgeError``, `EigenvalueError`, or what the collective throws.
  public func evaluate(
    _ pixels: UnsafeBufferPointer<UInt8>, closestCount: Int = 0
  ) throws -> (evaluation: ImageEvaluation, images: JudgedImages) {
    let images = try generatedReader.read(pixels, name: "generated images")
    func compare(_ comparison: FeatureComparison) throws -> [ImageComparison] {
      try Self.compare(comparison, over: collective, rows: &rows)
    }
    let generated = Reference(images, try compare(FeatureComparison(within: images.features)))
    let evaluation = ImageEvaluation(
      generatedCount: generatedCount, testCount: test.images.features.count,
      trainingCount: training.images.features.count,
      againstTest: try Self.distance(generated, test, compare),
      againstTraining: try Self.distance(generated, training, compare), floor: floor,
      generatedClasses: ClassSummary(images.logits, classCount: judge.classCount),
      testClasses: ClassSummary(test.images.logits, classCount: judge.classCount),
      judgeAccuracy: judgeAccuracy,
      copying: try copying(images.features, closestCount, compare))
    return (evaluation, images)
  }

  private func copying(
    _ generated: FeatureSet, _ closestCount: Int,
    _ compare: (FeatureComparison) throws -> [ImageComparison]
  ) throws -> ImageEvaluation.Copying? {
    guard let allTraining else { return nil }
    let comparisons = try compare(
      FeatureComparison(generated, with: allTraining.features, .neighbours))
    let test = CopyingTest(
      generated: comparisons.map(\.nearest.0), test: allTraining.ofTest.map(\.nearest.0))
    // Of equal distances the first image is first.
    let order = comparisons.indices.sorted {
      (comparisons[$0].nearest.0, $0) < (comparisons[$1].nearest.0, $1)
    }
    return ImageEvaluation.Copying(
      shareFarther: test.shareFarther, deviations: test.deviations,
      closest: order.prefix(closestCount).map {
        ($0, comparisons[$0].nearestIndex, comparisons[$0].nearest.0.squareRoot())
      })
  }
}

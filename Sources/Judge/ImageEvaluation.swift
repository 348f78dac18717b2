import ImageMetrics

/// How one set of images differs from another.
public struct SetDistance: Equatable, Sendable, Codable {
  /// Fréchet classifier distance.
  public var frechet: Double
  /// Kernel distance (KID).
  public var kernel: Double
  public var precision: Double
  public var recall: Double
  public var density: Double
  public var coverage: Double

  public init(
    frechet: Double, kernel: Double, precision: Double, recall: Double, density: Double,
    coverage: Double
  ) {
    (self.frechet, self.kernel) = (frechet, kernel)
    (self.precision, self.recall) = (precision, recall)
    (self.density, self.coverage) = (density, coverage)
  }
}

/// What the judge's classes tell of a set of images.
public struct ClassSummary: Equatable, Sendable, Codable {
  public var inceptionScore: Double
  /// Images of each class.
  public var histogram: [Int]
  /// Total variation, 0 to 1.
  public var distanceFromUniform: Double

  init(_ logits: [Float], classCount: Int) {
    let predictions = ClassPredictions(logits: logits, classCount: classCount)
    inceptionScore = predictions.inceptionScore
    histogram = predictions.histogram
    distanceFromUniform = predictions.distanceFromUniform
  }
}

/// How good generated images are.
public struct ImageEvaluation: Equatable, Sendable {
  /// Generated images, and the real ones that they were compared with.
  public var generatedCount, testCount, trainingCount: Int
  /// Generated images against test images, against training images, and training images against test images: the floor,
  /// what images have that are as good as real ones.
  public var againstTest, againstTraining, floor: SetDistance
  public var generatedClasses, testClasses: ClassSummary
  /// The share of test images whose class the judge knows.
  public var judgeAccuracy: Double
  /// Nil if it was not asked for.
  public var copying: Copying?

  /// Whether images are copied.
  public struct Copying: Equatable, Sendable {
    public var shareFarther: Double
    public var deviations: Double
    /// Generated images and the training images nearest to them, the nearest pair first.
    public var closest: [(generated: Int, training: Int, distance: Double)]

    public static func == (left: Self, right: Self) -> Bool {
      left.shareFarther == right.shareFarther && left.deviations == right.deviations
        && left.closest.elementsEqual(right.closest, by: ==)
    }
  }
}

import Collectives
import Files
import ImageMetrics
import MNISTFamily
import Matrices
import NeuralNetwork

/// A classifier of a data set, by whose features images are compared. It knows nothing of GANs.
///
/// It is trained by the engine itself, on first use. As nothing in it can be set, and no bit depends on ranks,
/// everybody has the same judge of the same data; it is named by the digest of its weights.
public final class Judge {
  /// Where a judge came from.
  public enum Origin: Equatable, Sendable {
    /// It was trained just now.
    case trained
    /// It was found in a file.
    case cached
  }

  /// The judge of FashionMNIST, on processors with fused multiply-adds.
  public static let digestOfFashionMNIST = ContentDigest(
    hex: "2d186129ccac7c6b10feffd1a5381a607fa63759f2792fa8da8e830634e6a06b")

  public let classCount: Int
  public let pixelsPerImage: Int
  /// SHA-256 of the weights, the same on all ranks.
  public let digest: ContentDigest
  public let origin: Origin
  let layout: Classifier.Parameters
  let parameters: ParameterArena
  private let collective: any Collective
  private let isOfFashionMNIST: Bool

  /// Finds the judge of a data set, or trains it. Every rank must call this.
  /// - Parameters:
  ///   - dataSet: the training images, with labels.
  ///   - cached: the judge's weights if they are known, the same on every rank.
  /// - Throws: ``JudgeError``, `KernelError`, `MemoryError`, or what the collective throws.
  public init(
    of dataSet: ImageDataSet, over collective: any Collective,
    cached: CachedJudge? = nil
  ) throws {
    self.collective = collective
    classCount = Self.classCount(of: dataSet.imageCountsByLabel)
    pixelsPerImage = dataSet.pixelsPerImage
    isOfFashionMNIST = dataSet.identity == .fashionMNIST
    layout = Classifier.Parameters(pixels: pixelsPerImage, classCount: classCount)
    if let cached, cached.fits(layout) {
      parameters = try ParameterArena(layout.layout)
      cached.copy(into: parameters)
      origin = .cached
    } else {
      let training = try ClassifierTraining(layout, dataSet, over: collective)
      try training.run()
      parameters = training.parameters
      origin = .trained
    }
    var hasher = ContentDigest.Hasher()
    for entry in parameters.layout.entries {
      hasher.update(entry.name)
      hasher.update(UnsafeRawBufferPointer(parameters.tensor(entry)))
    }
    digest = hasher.finish()
  }

  /// The classes of data with so many images of each label: the greatest label and all below it, at least two.
  public static func classCount(of imageCountsByLabel: [Int]) -> Int {
    max((imageCountsByLabel.lastIndex { $0 > 0 } ?? 0) + 1, 2)
  }

  /// Whether this is the published judge; nil for data other than FashionMNIST, of which none is published.
  public var isPublished: Bool? {
    isOfFashionMNIST ? digest == Self.digestOfFashionMNIST : nil
  }

  /// What reads so many images at a time. Every rank must call this.
  /// - Throws: `KernelError`, `MemoryError`, or what the collective throws.
  func reader(count: Int) throws -> FeatureReader {
    try FeatureReader(
      layout, parameters, pixels: pixelsPerImage, count: count, over: collective)
  }

  /// Features and logits of images. Every rank must call this.
  /// - Parameters:
  ///   - pixels: `[count, pixels]`, 0 to 255.
  ///   - name: of the set, for errors.
  /// - Throws: ``JudgeError``, `KernelError`, `MemoryError`, or what the collective throws.
  public func read(_ pixels: UnsafeBufferPointer<UInt8>, name: String) throws -> JudgedImages {
    try reader(count: pixels.count / pixelsPerImage).read(pixels, name: name)
  }
}

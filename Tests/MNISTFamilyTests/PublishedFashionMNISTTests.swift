import Foundation
import MNISTFamily
import Testing

/// The real set: required where the environment variable CI is set, else tested if installed.
@Suite(
  .enabled(
    if: ProcessInfo.processInfo.environment["CI"] != nil
      || FileManager.default.fileExists(atPath: DataLocation.systemFolder),
    "dataset-fashion-mnist is not installed"))
struct PublishedFashionMNISTTests {
  private func folder() throws -> DataFolder { try DataFolder(path: DataLocation.systemFolder) }

  @Test func trainingSetIsRecognised() throws {
    let set = try folder().readTrainingSet()
    #expect(set.identity == .fashionMNIST)
    #expect((set.imageCount, set.imageHeight, set.imageWidth) == (60_000, 28, 28))
    #expect(set.classNames?.count == 10)
    #expect(set.classNames?.last == "Ankle boot")
    #expect(set.classCount == 10)
    #expect(set.imageCountsByLabel.prefix(10) == .init(repeating: 6000, count: 10))
  }

  @Test func testSetIsNotTheTrainingSet() throws {
    let folder = try folder()
    let training = try folder.readTrainingSet()
    let test = try folder.readTestSet(matching: training)
    #expect(training.identity == .fashionMNIST)
    #expect(test?.identity == .unknown)
    #expect(test?.imageCount == 10_000)
    #expect(test?.classNames?.count == 10)
  }

  @Test func onePixelOrLabelChangedIsUnknown() throws {
    let set = try folder().readTrainingSet()
    set.withUnsafeMutablePixels { $0[30_000_000] ^= 1 }
    #expect(set.identity == .unknown)
    #expect(set.classNames == nil)
    set.withUnsafeMutablePixels { $0[30_000_000] ^= 1 }
    #expect(set.identity == .fashionMNIST)
    set.withUnsafeMutableLabels { $0[0] ^= 1 }
    #expect(set.identity == .unknown)
  }

  @Test func filesWithOnePixelChangedAreUnknown() throws {
    let changed = try TemporaryFolder()
    let pair = try folder().trainingPair
    try FileManager.default.createSymbolicLink(
      atPath: try changed.entry("train-labels-idx1-ubyte.gz"), withDestinationPath: pair.labelsPath)
    var bytes = bigEndian([0x0803, 60_000, 28, 28])
    bytes += try folder().readTrainingSet().withUnsafePixels { Array($0) }
    try changed.write(bytes, to: "train-images-idx3-ubyte")
    #expect(try DataFolder(path: changed.path).readTrainingSet().identity == .fashionMNIST)
    bytes[1_000_000] ^= 1
    try changed.write(bytes, to: "train-images-idx3-ubyte")
    #expect(try DataFolder(path: changed.path).readTrainingSet().identity == .unknown)
  }
}

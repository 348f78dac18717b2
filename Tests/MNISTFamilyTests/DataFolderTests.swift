import Foundation
import MNISTFamily
import Testing

@Suite struct DataFolderTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func openingError() -> DataSetError? {
    #expect(throws: DataSetError.self) { _ = try DataFolder(path: folder.path) }
  }

  private func readSets() throws -> (training: ImageDataSet, test: ImageDataSet?) {
    let folder = try DataFolder(path: folder.path)
    let training = try folder.readTrainingSet()
    return (training, try folder.readTestSet(matching: training))
  }

  private func readingError() -> DataSetError? {
    #expect(throws: DataSetError.self) { _ = try readSets() }
  }

  @Test func emptyFolderIsMissing() {
    let error = openingError()
    #expect(error?.kind == .missing)
    #expect(error?.message.contains("apt-get install dataset-fashion-mnist") == true)
    #expect(error?.message.contains("./launch/fetch-data") == true)
    #expect(error?.message.contains("--data DIR") == true)
  }

  @Test func absentFolderIsMissing() {
    let path = folder.path + "/none"
    let error = #expect(throws: DataSetError.self) { _ = try DataFolder(path: path) }
    #expect(error?.kind == .missing)
    #expect(error?.path == path)
    #expect(error?.message.contains("no such folder") == true)
  }

  @Test func fileInPlaceOfFolderIsMissing() throws {
    let path = try folder.write([1], to: "a")
    let error = #expect(throws: DataSetError.self) { _ = try DataFolder(path: path) }
    #expect(error?.kind == .missing)
  }

  @Test(arguments: ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
  func halfATrainingPairIsMissing(name: String) throws {
    try MadeUpSet().write(to: folder)
    try FileManager.default.removeItem(atPath: folder.path + "/" + name)
    #expect(openingError()?.kind == .missing)
    #expect(openingError()?.message.contains("not \(name)") == true)
  }

  @Test func halfATestPairIsMissing() throws {
    try MadeUpSet().write(to: folder)
    try folder.write(MadeUpSet().labelsFile, to: "t10k-labels-idx1-ubyte")
    #expect(openingError()?.message.contains("not t10k-images-idx3-ubyte") == true)
  }

  @Test func testPairAloneIsMissing() throws {
    try MadeUpSet().write(to: folder, prefix: "t10k")
    #expect(openingError()?.kind == .missing)
  }

  @Test func testPairNeedNotBeThere() throws {
    try MadeUpSet().write(to: folder)
    let sets = try readSets()
    #expect(sets.training.imageCount == 4)
    #expect(sets.test == nil)
  }

  @Test func testPairIsRead() throws {
    try MadeUpSet().write(to: folder)
    try MadeUpSet(count: 2).write(to: folder, prefix: "t10k", gzipped: true)
    #expect(try readSets().test?.imageCount == 2)
  }

  @Test(arguments: [MadeUpSet(height: 5, width: 3), MadeUpSet(width: 6)])
  func testImagesOfAnotherSizeAreBroken(test: MadeUpSet) throws {
    try MadeUpSet().write(to: folder)
    try test.write(to: folder, prefix: "t10k")
    let error = readingError()
    #expect(error?.kind == .broken)
    #expect(error?.path == folder.path + "/t10k-images-idx3-ubyte")
    #expect(error?.message.contains("expected 3 x 5") == true)
  }

  @Test(arguments: [3, 5])
  func otherCountOfLabelsIsBroken(count: Int) throws {
    try MadeUpSet().write(to: folder)
    try folder.write(MadeUpSet(count: count).labelsFile, to: "train-labels-idx1-ubyte")
    let error = readingError()
    #expect(error?.kind == .broken)
    #expect(error?.path == folder.path + "/train-labels-idx1-ubyte")
    #expect(error?.message.contains("images (4), found \(count) labels") == true)
  }

  @Test func filesMixedUpAreBroken() throws {
    try folder.write(MadeUpSet().imagesFile, to: "train-labels-idx1-ubyte")
    try folder.write(MadeUpSet().labelsFile, to: "train-images-idx3-ubyte")
    #expect(readingError()?.kind == .broken)
  }

  @Test(arguments: ["raw", "FashionMNIST/raw", "FashionMNIST", "MNIST/raw"], [false, true])
  func torchvisionLayoutIsFound(subfolder: String, gzipped: Bool) throws {
    try MadeUpSet().write(to: folder, under: subfolder, gzipped: gzipped)
    let found = try DataFolder(path: folder.path)
    #expect(found.path == folder.path + "/" + subfolder)
    #expect(try found.readTrainingSet().imageCount == 4)
  }

  @Test func whereItLookedIsSaid() {
    for place in ["raw", "FashionMNIST/raw", "MNIST/raw"] {
      #expect(openingError()?.message.contains(place) == true)
    }
  }

  @Test func filesOfTheFolderItselfComeFirst() throws {
    try MadeUpSet(count: 6).write(to: folder)
    try MadeUpSet().write(to: folder, under: "raw")
    #expect(try DataFolder(path: folder.path).readTrainingSet().imageCount == 6)
  }

  @Test(arguments: ["", ".gz"])
  func spellingWithADotIsFound(suffix: String) throws {
    try folder.write(MadeUpSet().imagesFile, to: "train-images.idx3-ubyte" + suffix)
    try folder.write(MadeUpSet().labelsFile, to: "train-labels.idx1-ubyte" + suffix)
    #expect(try DataFolder(path: folder.path).readTrainingSet().imageCount == 4)
  }

  @Test func plainIsPreferredOverGzipped() throws {
    try MadeUpSet(count: 6).write(to: folder)
    try MadeUpSet().write(to: folder, gzipped: true)
    #expect(try DataFolder(path: folder.path).readTrainingSet().imageCount == 6)
  }

  @Test func plainWithADotIsPreferredOverGzipped() throws {
    try MadeUpSet().write(to: folder, gzipped: true)
    let path = try folder.write(MadeUpSet().imagesFile, to: "train-images.idx3-ubyte")
    #expect(try DataFolder(path: folder.path).trainingPair.imagesPath == path)
  }

  @Test func folderNamedAsAFileIsPassedOver() throws {
    try MadeUpSet().write(to: folder, gzipped: true)
    _ = try folder.entry("train-images-idx3-ubyte/inside")
    #expect(try DataFolder(path: folder.path).readTrainingSet().imageCount == 4)
  }

  @Test(.enabled(if: geteuid() != 0, "root may read every folder"))
  func unreadableFolderIsMissing() throws {
    try MadeUpSet().write(to: folder)
    #expect(chmod(folder.path, 0) == 0)
    defer { chmod(folder.path, 0o700) }
    #expect(readingError()?.kind == .missing)
  }
}

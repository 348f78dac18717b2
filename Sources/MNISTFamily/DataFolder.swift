import Files
import SystemPackage

/// A folder that holds the files of a data set of the MNIST family.
public struct DataFolder: Hashable, Sendable {
  /// A file of images and the file of their labels.
  public struct Pair: Hashable, Sendable {
    /// The file of images.
    public let imagesPath: String
    /// The file of labels.
    public let labelsPath: String
  }

  /// The folder the files are in, which may be a sub-folder of the one asked for.
  public let path: String
  /// The files of the training set.
  public let trainingPair: Pair
  /// The files of the test set, if they are there.
  public let testPair: Pair?

  /// Sub-folders searched, in this order: the folder itself, then torchvision's layout, whose root
  /// holds a folder of the data set's name, which holds `raw`.
  private static let subfolders = ["", "raw", "FashionMNIST/raw", "FashionMNIST", "MNIST/raw"]

  /// Finds the files in `folder`, or below it as torchvision lays them out.
  /// - Throws: `DataSetError.missing` without a training pair, or with half a test pair.
  public init(path folder: String) throws(DataSetError) {
    switch FileStatus(path: folder) {
    case .folder: break
    case .absent:
      throw DataSetError(
        kind: .missing, path: folder,
        message: "no such folder. To get the data: \(DataSetError.waysToGetTheData)")
    case .file, .other: throw .unreadable(folder, reason: "it is no folder")
    case .unreachable(let reason): throw .unreadable(folder, reason: reason)
    }
    let place = Self.placeOfFiles(under: folder) ?? folder
    guard let training = try Self.pair(.trainingImages, .trainingLabels, in: place) else {
      throw DataSetError(
        kind: .missing, path: folder,
        message: """
          has neither \(DataFile.trainingImages.name) nor \(DataFile.trainingLabels.name) \
          (nor those with .gz). Looked there and below it in \
          \(Self.subfolders.dropFirst().joined(separator: ", ")). \
          To get the data: \(DataSetError.waysToGetTheData)
          """)
    }
    path = place
    trainingPair = training
    testPair = try Self.pair(.testImages, .testLabels, in: place)
  }

  /// Reads and checks the training pair.
  /// - Throws: `DataSetError` if a file cannot be read or is wrong.
  public func readTrainingSet() throws(DataSetError) -> ImageDataSet {
    try Self.read(trainingPair)
  }

  /// Reads and checks the test pair, whose images must be of the size of the training images.
  /// - Returns: nil if there is no test pair.
  /// - Throws: `DataSetError` if a file cannot be read or is wrong.
  public func readTestSet(matching training: ImageDataSet) throws(DataSetError) -> ImageDataSet? {
    guard let testPair else { return nil }
    let test = try Self.read(testPair)
    guard (test.imageHeight, test.imageWidth) == (training.imageHeight, training.imageWidth) else {
      throw .broken(
        testPair.imagesPath, atByte: 8,
        expected: "\(training.imageHeight) x \(training.imageWidth) pixels as in training images",
        found: "\(test.imageHeight) x \(test.imageWidth)")
    }
    return test
  }

  private static func read(_ pair: Pair) throws(DataSetError) -> ImageDataSet {
    // The labels first: they are small, so that what is wrong with them is said soon.
    let labels = try IDXFile(path: pair.labelsPath, expecting: .labels)
    let images = try IDXFile(path: pair.imagesPath, expecting: .images)
    return try ImageDataSet(images: images, labels: labels)
  }

  /// Whether `folder`, or torchvision's layout below it, holds any file of a data set.
  static func hasAnyFile(under folder: String) -> Bool { placeOfFiles(under: folder) != nil }

  private static func placeOfFiles(under folder: String) -> String? {
    subfolders.map { FilePath(folder).appending($0).string }.first { place in
      DataFile.allCases.contains { $0.path(in: place) != nil }
    }
  }

  private static func pair(
    _ images: DataFile, _ labels: DataFile, in folder: String
  ) throws(DataSetError) -> Pair? {
    switch (images.path(in: folder), labels.path(in: folder)) {
    case (let imagesPath?, let labelsPath?):
      return Pair(imagesPath: imagesPath, labelsPath: labelsPath)
    case (nil, nil): return nil
    case (nil, _?): throw missing(images, besides: labels, in: folder)
    case (_?, nil): throw missing(labels, besides: images, in: folder)
    }
  }

  private static func missing(
    _ file: DataFile, besides other: DataFile, in folder: String
  ) -> DataSetError {
    DataSetError(
      kind: .missing, path: folder,
      message: """
        has \(other.name) but not \(file.name) (nor \(file.name).gz). \
        To get the data: \(DataSetError.waysToGetTheData)
        """)
  }
}

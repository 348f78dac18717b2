import FashionMNIST
import MPI

/// The data set, read by rank 0 and given to the others: only rank 0's host needs the files.
enum SharedDataSet {
  /// Reads and checks the data on rank 0, and copies them to all ranks. Every rank must call this.
  /// - Returns: the training set, and the folder that rank 0 found it in ("" elsewhere).
  /// - Throws: `DataSetError` on rank 0.
  static func load(
    explicitFolder: String?, over communicator: Communicator
  ) throws -> (ImageDataSet, String) {
    var dataSet: ImageDataSet?
    var source = ""
    if communicator.rank == 0 {
      let folder = try DataLocation.resolve(explicitFolder: explicitFolder)
      dataSet = try folder.readSets().training
      source = folder.path
    }
    let imageCount = try communicator.broadcast(dataSet?.imageCount ?? 0, from: 0)
    let imageHeight = try communicator.broadcast(dataSet?.imageHeight ?? 0, from: 0)
    let imageWidth = try communicator.broadcast(dataSet?.imageWidth ?? 0, from: 0)
    let shared =
      try dataSet
      ?? ImageDataSet(imageCount: imageCount, imageHeight: imageHeight, imageWidth: imageWidth)
    guard communicator.rankCount > 1 else { return (shared, source) }
    try shared.withUnsafeMutablePixels { try communicator.broadcast($0, from: 0) }
    try shared.withUnsafeMutableLabels { try communicator.broadcast($0, from: 0) }
    return (shared, source)
  }
}

import MNISTFamily
import MPI
import MPICollectives

/// The data set: read by rank 0, so that only its host needs the files, and in memory once a host.
package struct SharedDataSet {
  package let training: ImageDataSet
  /// The folder that rank 0 found it in; "" elsewhere.
  package let source: String
  /// The same as it can be found again from anywhere, on all ranks; "" if its name is no text.
  package let lastingSource: String
  /// What went wrong, on rank 0: for the log.
  package let warnings: [String]

  /// Gives data that rank 0 reads to all ranks. Every rank must call this.
  /// - Parameters:
  ///   - hosts: of all ranks.
  ///   - read: gives the data on rank 0 and nil elsewhere, or throws on all ranks.
  /// - Throws: what `read` throws; ``UnlikeDataError`` on all ranks.
  package init(on hosts: Hosts, read: () throws -> TrainingData?) throws {
    let communicator = hosts.world
    var data = try read()
    source = data?.folder ?? ""
    lastingSource = try communicator.broadcast(data?.lastingFolder ?? "", from: 0)
    let dataWarnings = data?.warnings ?? []
    // Where all ranks get a copy, this one is not to stay.
    var original = data?.set
    data = nil
    if let original, communicator.rankCount == 1 {
      (training, warnings) = (original, dataWarnings)
      return
    }
    let imageCount = try communicator.broadcast(original?.imageCount ?? 0, from: 0)
    let imageHeight = try communicator.broadcast(original?.imageHeight ?? 0, from: 0)
    let imageWidth = try communicator.broadcast(original?.imageWidth ?? 0, from: 0)

    let host = hosts.own
    let (window, problem) = try Self.makeWindow(
      byteCount: imageCount * imageHeight * imageWidth, over: host)
    let problems = try communicator.allGather(host.rank == 0 ? problem : "")
    warnings = dataWarnings + problems.filter { !$0.isEmpty }
    if let window {
      training = try ImageDataSet(
        imageCount: imageCount, imageHeight: imageHeight, imageWidth: imageWidth,
        pixels: window.segment(ofRank: 0), of: window)
    } else {
      training =
        try original
        ?? ImageDataSet(imageCount: imageCount, imageHeight: imageHeight, imageWidth: imageWidth)
    }
    if let original, original !== training { training.copyContent(of: original) }
    original = nil

    // Pixels go to one rank of each host, or to all where each has memory of its own.
    let isReceiver = window == nil || host.rank == 0
    if let receivers = try communicator.split(isMember: isReceiver) {
      try training.withUnsafeMutablePixels { try receivers.broadcast($0, from: 0) }
    }
    try window?.synchronize()
    try training.withUnsafeMutableLabels { try communicator.broadcast($0, from: 0) }
    try UnlikeDataError.demandLike(isReceiver ? training : nil, over: communicator)
  }

  /// Memory for the pixels, in the segment of the host's rank 0; nil if each rank has to have its own, and why.
  private static func makeWindow(
    byteCount: Int, over host: Communicator
  ) throws -> (window: SharedWindow?, problem: String) {
    guard host.rankCount > 1 else { return (nil, "") }
    do {
      return (try SharedWindow(byteCount: host.rank == 0 ? byteCount : 0, over: host), "")
    } catch let error as SharedMemoryError {
      return (nil, "each of \(host.rankCount) ranks keeps the data set by itself: \(error)")
    }
  }
}

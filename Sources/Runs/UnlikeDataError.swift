import MNISTFamily
import MPI

/// Data that did not arrive as rank 0 read them: known to all ranks.
package struct UnlikeDataError: Error, CustomStringConvertible {
  let ranks: [Int]

  package var description: String {
    """
    the data set of \(ranks.count == 1 ? "rank" : "ranks") \(ranks.map(String.init).joined(separator: ", ")) \
    is not what rank 0 has: it was damaged on the way or in memory. Start again
    """
  }

  /// Compares the digests of all ranks that have received pixels. Every rank must call this.
  /// - Parameter dataSet: nil where another rank of the host has received them.
  static func demandLike(
    _ dataSet: ImageDataSet?, over communicator: Communicator
  ) throws {
    let digests = try communicator.allGather(dataSet?.digest.hex ?? "-")
    let unlike = digests.indices.filter { digests[$0] != digests[0] && digests[$0] != "-" }
    if !unlike.isEmpty { throw UnlikeDataError(ranks: unlike) }
  }
}

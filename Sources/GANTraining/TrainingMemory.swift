import Memory

/// The memory that training takes at least: to know before it begins whether there can be enough.
///
/// Linux promises more memory than there is, and kills a process when it takes it: an allocation that succeeds proves
/// nothing.
public struct TrainingMemory {
  /// Of a rank: its gradients, its share of the weights and moments, its images.
  let bytesOfRank: Double
  /// Of all ranks of a host together; they may share weights and moments.
  let bytesOfHost: Double
  private let purpose: String

  /// Counts what surely is needed, and none of what depends on how products are cut.
  /// - Parameters:
  ///   - ranksOnHost: ranks of this rank's host, it itself among them.
  public init(
    _ architecture: Architecture, globalBatchSize: Int, rankCount: Int, ranksOnHost: Int
  ) {
    func parameters(_ sizes: [Int]) -> Double {
      zip(sizes, sizes.dropFirst()).reduce(0) { $0 + (Double($1.0) + 1) * Double($1.1) }
    }
    let image = architecture.imageSize
    // Sizes may be anything: doubles do not overflow.
    let weights =
      parameters([architecture.noiseSize] + architecture.generatorHiddenSizes + [image])
      + parameters([image] + architecture.discriminatorHiddenSizes + [1])
    let rows = Double(globalBatchSize) / Double(rankCount)
    // G(z1), G(z2) and the gradient of the latter; the real images and G(z1) as D sees them.
    let images = 5 * rows * Double(image)
    let (bytes, state) = (Double(MemoryLayout<Float>.stride), 3 * weights)
    bytesOfRank = bytes * (weights + state / Double(rankCount) + images)
    bytesOfHost = bytes * (state + Double(ranksOnHost) * (weights + images))
    purpose = """
      training with \(image) pixels an image and \(globalBatchSize) images a batch, on \(ranksOnHost) \
      \(ranksOnHost == 1 ? "rank" : "ranks") of this host
      """
  }

  /// Sees whether there can be enough.
  /// - Throws: `MemoryError`.
  public func demand() throws(MemoryError) {
    try Memory.demandPossible(try count(bytesOfHost), for: purpose)
    // Plans of products, checkpoints and pictures take many small pieces, which can only be had:
    // there is no error for them.
    let roomForPieces = bytesOfRank / 8 + 64e6
    try Memory.demand(try count(bytesOfRank + roomForPieces), areUsed: false, for: purpose)
  }

  private func count(_ bytes: Double) throws(MemoryError) -> Int {
    guard let count = Int(exactly: bytes.rounded(.up)) else {
      throw MemoryError(byteCount: nil, purpose: purpose, reason: "no machine has so many")
    }
    return count
  }
}

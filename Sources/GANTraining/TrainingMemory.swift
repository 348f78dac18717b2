import Memory

/// The memory that training takes at least: to know before it begins whether there can be enough.
///
/// Linux promises more memory than there is, and kills a process when it takes it: an allocation that succeeds proves
/// nothing.
public struct TrainingMemory {
  /// Of a rank: what it works on its rows with.
  let bytesOfRank: Double
  /// Of a host: weights and moments, activations and their gradients, which its ranks share.
  let bytesOfHost: Double
  private let ranksOnHost: Int
  private let purpose: String

  /// Counts what surely is needed, and none of what depends on how products are cut.
  /// - Parameters:
  ///   - ranksOnHost: ranks of this rank's host, it itself among them.
  public init(
    _ architecture: Architecture, globalBatchSize: Int, rankCount: Int, ranksOnHost: Int
  ) {
    self.ranksOnHost = ranksOnHost
    func parameters(_ sizes: [Int]) -> Double {
      zip(sizes, sizes.dropFirst()).reduce(0) { $0 + (Double($1.0) + 1) * Double($1.1) }
    }
    let image = architecture.imageSize
    // Sizes may be anything: doubles do not overflow.
    let weights =
      parameters([architecture.noiseSize] + architecture.generatorHiddenSizes + [image])
      + parameters([image] + architecture.discriminatorHiddenSizes + [1])
    func sum(_ sizes: [Int]) -> Double { sizes.reduce(0) { $0 + Double($1) } }
    // Real images, G(z1), G(z2) and the gradient of the latter; D's units with their gradients, for real images, G(z1)
    // and G(z2); G's units before and behind each BatchNorm, for z1 and z2, and one gradient.
    let activations =
      4 * Double(image) + 2 * Double(architecture.noiseSize)
      + 6 * (sum(architecture.discriminatorHiddenSizes) + 1)
      + 5 * sum(architecture.generatorHiddenSizes)
    let bytes = Double(MemoryLayout<Float>.stride)
    bytesOfHost = bytes * (3 * weights + Double(globalBatchSize) * activations)
    // An image and its transpose, for D's rows of both kinds.
    let rows = Double(globalBatchSize) / Double(rankCount)
    bytesOfRank = bytes * 4 * rows * Double(image)
    purpose = """
      training with \(image) pixels an image and \(globalBatchSize) images a batch, on \(ranksOnHost) \
      \(ranksOnHost == 1 ? "rank" : "ranks") of this host
      """
  }

  /// Sees whether there can be enough.
  /// - Throws: `MemoryError`.
  public func demand() throws(MemoryError) {
    try Memory.demandPossible(
      try count(bytesOfHost + Double(ranksOnHost) * bytesOfRank), for: purpose)
    // Plans of products, checkpoints and pictures take many small pieces, which can only be had:
    // there is no error for them.
    let roomForPieces = bytesOfRank / 8 + 64e6
    let ownShare = bytesOfHost / Double(ranksOnHost)
    try Memory.demand(
      try count(ownShare + bytesOfRank + roomForPieces), areUsed: false, for: purpose)
  }

  /// Bytes that ranks of a host share, more or less; a little is room for barriers and sums.
  public var sharedByteCount: Int { Int(min(bytesOfHost * 1.05 + 1e6, 1e15)) }

  private func count(_ bytes: Double) throws(MemoryError) -> Int {
    guard let count = Int(exactly: bytes.rounded(.up)) else {
      throw MemoryError(byteCount: nil, purpose: purpose, reason: "no machine has so many")
    }
    return count
  }
}

/// The rows of a global batch that one rank owns.
///
/// Rank `r` of `P` owns rows `floor(r * B / P) ..< floor((r + 1) * B / P)` of a batch of `B`: any `P`, any
/// `B`. A rank may own no rows; it still joins every collective.
public struct Shard: Equatable, Sendable {
  /// B, in samples.
  public let globalBatchSize: Int
  public let rank: Int
  public let rankCount: Int

  public init(globalBatchSize: Int, rank: Int, rankCount: Int) {
    precondition(globalBatchSize >= 0 && rankCount > 0 && (0..<rankCount).contains(rank))
    self.globalBatchSize = globalBatchSize
    self.rank = rank
    self.rankCount = rankCount
  }

  public var firstRow: Int { rows.lowerBound }
  public var rowCount: Int { rows.count }
  public var rows: Range<Int> { boundary(rank)..<boundary(rank + 1) }

  /// floor(rank * B / P), without an intermediate product that could overflow.
  private func boundary(_ rank: Int) -> Int {
    let (share, rest) = globalBatchSize.quotientAndRemainder(dividingBy: rankCount)
    return rank * share + rank * rest / rankCount
  }

  /// The rows of another rank.
  public func shard(ofRank other: Int) -> Shard {
    Shard(globalBatchSize: globalBatchSize, rank: other, rankCount: rankCount)
  }
}

/// A global batch seen from one rank: whose rows are whose, and how to reach the others.
public struct DistributedBatch {
  public let collective: any Collective
  public let shard: Shard

  public init(globalBatchSize: Int, collective: any Collective) {
    self.collective = collective
    shard = Shard(
      globalBatchSize: globalBatchSize, rank: collective.rank, rankCount: collective.rankCount)
  }

  /// A batch that one rank holds whole.
  public static func solo(rows: Int) -> DistributedBatch {
    DistributedBatch(globalBatchSize: rows, collective: SoloCollective())
  }
}

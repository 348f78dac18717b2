import Matrices

/// How a global batch is cut: into logical shards, the leaves of the tree in which all sums over the batch are taken, and
/// these into whole runs of them, one a rank.
public struct BatchPartition: Equatable, Sendable {
  /// In which parts sums over the batch are taken before the parts are added up in the tree.
  public enum LogicalShards: Equatable, Sendable {
    /// So many samples, the last ones perhaps fewer: sums have the same bits for any number of ranks.
    case ofSize(Int)
    /// One part a rank: sums depend on the number of ranks in their last digits.
    case onePerRank
  }

  /// B, in samples.
  public let globalBatchSize: Int
  public let rankCount: Int
  /// Global rows of each logical shard; none is empty.
  public let logicalShards: [Range<Int>]
  public let tree: SummationTree
  /// Which logical shards a rank owns; none for some ranks if there are more ranks than shards.
  public let logicalShardsOfRank: [Range<Int>]
  /// The nodes of the tree that a rank adds up by itself.
  public let nodesOfRank: [[Range<Int>]]

  /// Cuts a batch into logical shards, and deals these out to the ranks.
  public init(globalBatchSize: Int, rankCount: Int, shards: LogicalShards = .onePerRank) {
    precondition(globalBatchSize >= 0 && rankCount > 0)
    switch shards {
    case .ofSize(let size):
      self.init(globalBatchSize: globalBatchSize, rankCount: rankCount, shardSize: size)
    case .onePerRank:
      self.init(onePerRankOf: rankCount, globalBatchSize: globalBatchSize)
    }
  }

  private init(globalBatchSize: Int, rankCount: Int, shardSize logicalShardSize: Int) {
    precondition(logicalShardSize > 0)
    let shards = stride(from: 0, to: globalBatchSize, by: logicalShardSize).map {
      $0..<min($0 + logicalShardSize, globalBatchSize)
    }
    let starts = Self.starts(of: shards.count, over: rankCount)
    self.init(
      globalBatchSize, shards: shards,
      shardsOfRank: (0..<rankCount).map { starts[$0]..<starts[$0 + 1] })
  }

  private init(onePerRankOf rankCount: Int, globalBatchSize: Int) {
    let starts = Self.starts(of: globalBatchSize, over: rankCount)
    let rows = (0..<rankCount).map { starts[$0]..<starts[$0 + 1] }
    var next = 0
    let shardsOfRank = rows.map { rows in
      defer { next += rows.isEmpty ? 0 : 1 }
      return next..<next + (rows.isEmpty ? 0 : 1)
    }
    self.init(
      globalBatchSize, shards: rows.filter { !$0.isEmpty }, shardsOfRank: shardsOfRank)
  }

  private init(_ globalBatchSize: Int, shards: [Range<Int>], shardsOfRank: [Range<Int>]) {
    let tree = SummationTree(leafCount: shards.count)
    self.globalBatchSize = globalBatchSize
    rankCount = shardsOfRank.count
    logicalShards = shards
    self.tree = tree
    logicalShardsOfRank = shardsOfRank
    nodesOfRank = shardsOfRank.map(tree.nodes(of:))
  }

  /// floor(rank * count / P) for rank 0 … P, without an intermediate product that could overflow.
  private static func starts(of count: Int, over rankCount: Int) -> [Int] {
    let (share, rest) = count.quotientAndRemainder(dividingBy: rankCount)
    return (0...rankCount).map { $0 * share + $0 * rest / rankCount }
  }

  /// How all ranks' nodes, in rank order, are added up.
  public var orderOfNodes: SummationOrder { tree.order(of: nodesOfRank.flatMap { $0 }) }

  /// The most nodes that a rank has, at least 1.
  public var mostNodes: Int { max(nodesOfRank.map(\.count).max() ?? 0, 1) }

  /// Global rows that a rank owns.
  public func rows(ofRank rank: Int) -> Range<Int> {
    let shards = logicalShardsOfRank[rank]
    guard let first = shards.first, let last = shards.last else {
      // A rank without rows stands between its neighbours, where that is known.
      let start = shards.lowerBound
      let row = start < logicalShards.count ? logicalShards[start].lowerBound : globalBatchSize
      return row..<row
    }
    return logicalShards[first].lowerBound..<logicalShards[last].upperBound
  }

  /// What one rank owns.
  public func shard(ofRank rank: Int) -> Shard { Shard(self, rank: rank) }
}

/// The rows of a global batch that one rank owns. A rank may own none; it still joins every collective.
public struct Shard: Equatable, Sendable {
  public let partition: BatchPartition
  public let rank: Int
  /// Global rows.
  public let rows: Range<Int>
  /// The rows of each logical shard, counted from this rank's first.
  public let logicalShards: [Range<Int>]
  /// The nodes that this rank adds up: each a range of ``logicalShards``.
  public let nodes: [Range<Int>]

  init(_ partition: BatchPartition, rank: Int) {
    precondition((0..<partition.rankCount).contains(rank))
    self.partition = partition
    self.rank = rank
    let rows = partition.rows(ofRank: rank)
    let owned = partition.logicalShardsOfRank[rank]
    self.rows = rows
    logicalShards = partition.logicalShards[owned].map {
      $0.lowerBound - rows.lowerBound..<$0.upperBound - rows.lowerBound
    }
    nodes = partition.nodesOfRank[rank].map {
      $0.lowerBound - owned.lowerBound..<$0.upperBound - owned.lowerBound
    }
  }

  public var globalBatchSize: Int { partition.globalBatchSize }
  public var firstRow: Int { rows.lowerBound }
  public var rowCount: Int { rows.count }
  /// Whether this rank owns the first rows of the batch.
  public var isFirst: Bool { partition.logicalShardsOfRank[rank].contains(0) }

  /// How the logical shards of one of ``nodes`` are added up.
  public func order(ofNode node: Int) -> SummationOrder {
    partition.tree.order(ofLeavesOf: partition.nodesOfRank[rank][node])
  }
}

/// A global batch seen from one rank: whose rows are whose, and how to reach the others.
public struct DistributedBatch {
  public let collective: any Collective
  public let shard: Shard

  public init(
    globalBatchSize: Int, collective: any Collective,
    shards: BatchPartition.LogicalShards = .onePerRank
  ) {
    self.collective = collective
    shard = BatchPartition(
      globalBatchSize: globalBatchSize, rankCount: collective.rankCount, shards: shards
    ).shard(ofRank: collective.rank)
  }

  /// A batch that one rank holds whole.
  public static func solo(rows: Int) -> DistributedBatch {
    DistributedBatch(globalBatchSize: rows, collective: SoloCollective())
  }
}

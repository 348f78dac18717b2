import Matrices

/// Where a rank writes its part of the gradients: an arena for each node of the batch's tree that it owns.
public struct PartialGradients {
  /// One node.
  struct Node {
    let arena: ParameterArena
    /// The rows of each logical shard, in the rows that have gradients.
    let rows: [Range<Int>]
    /// How the logical shards are added up.
    let order: SummationOrder
    /// Whether the batch's first rows are among these: who owns them speaks where one rank is enough.
    let isFirst: Bool
  }

  let nodes: [Node]

  /// - Parameters:
  ///   - parts: an arena a node, such as a reduction's.
  ///   - rowsPerSample: 2 where each logical shard has real rows and as many fake ones behind them.
  public init(_ parts: [ParameterArena], shard: Shard, rowsPerSample: Int = 1) {
    precondition(parts.count == shard.nodes.count)
    nodes = parts.enumerated().map { index, arena in
      Node(
        arena: arena,
        rows: shard.logicalShards[shard.nodes[index]].map {
          rowsPerSample * $0.lowerBound..<rowsPerSample * $0.upperBound
        },
        order: shard.order(ofNode: index), isFirst: shard.isFirst && index == 0)
    }
  }

  /// All gradients of a batch that one rank holds whole, taken in one piece.
  public static func whole(_ arena: ParameterArena, rows: Int) -> PartialGradients {
    PartialGradients([arena], shard: DistributedBatch.solo(rows: rows).shard)
  }
}

import NeuralNetwork
import Testing

/// Who owns which rows of a batch.
@Suite struct ShardTests {
  private static let sizes = [0, 1, 2, 3, 7, 8, 31, 64, 100, 257]
  private static let rankCounts = [1, 2, 3, 4, 5, 7, 8, 12, 64, 300]

  private func shards(_ size: Int, over rankCount: Int, of shardSize: Int? = nil) -> [Shard] {
    let partition = BatchPartition(
      globalBatchSize: size, rankCount: rankCount,
      shards: shardSize.map(BatchPartition.LogicalShards.ofSize) ?? .onePerRank)
    return (0..<rankCount).map(partition.shard(ofRank:))
  }

  @Test(arguments: sizes, rankCounts)
  func shardsCoverTheBatchOnceInOrder(size: Int, rankCount: Int) {
    for shardSize in [nil, 1, 5, 16] {
      let all = shards(size, over: rankCount, of: shardSize)
      #expect(all.flatMap { Array($0.rows) } == Array(0..<size))
      // Logical shards cover a rank's rows in the same way, and nodes its logical shards.
      for shard in all {
        #expect(shard.logicalShards.flatMap { Array($0) } == Array(0..<shard.rowCount))
        #expect(shard.nodes.flatMap { Array($0) } == Array(shard.logicalShards.indices))
        #expect(shard.logicalShards.allSatisfy { !$0.isEmpty })
      }
    }
  }

  @Test(arguments: sizes, rankCounts)
  func withoutFixedShardsBoundsAreFloors(size: Int, rankCount: Int) {
    for shard in shards(size, over: rankCount) {
      #expect(shard.firstRow == shard.rank * size / rankCount)
      #expect(shard.rows == shard.firstRow..<(shard.rank + 1) * size / rankCount)
      #expect(shard.logicalShards.count == (shard.rows.isEmpty ? 0 : 1))
    }
  }

  @Test(arguments: sizes, rankCounts)
  func logicalShardsAreTheSameForAnyNumberOfRanks(size: Int, rankCount: Int) {
    let partition = BatchPartition(
      globalBatchSize: size, rankCount: rankCount, shards: .ofSize(16))
    let one = BatchPartition(globalBatchSize: size, rankCount: 1, shards: .ofSize(16))
    #expect(partition.logicalShards == one.logicalShards)
    #expect(partition.tree == one.tree)
    let counts = partition.logicalShardsOfRank.map(\.count)
    #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
  }

  @Test func moreRanksThanRowsGivesEmptyShards() {
    #expect(shards(3, over: 5).map(\.rowCount) == [0, 1, 0, 1, 1])
    #expect(shards(64, over: 5, of: 16).map(\.rowCount) == [0, 16, 16, 16, 16])
    #expect(shards(100, over: 3, of: 16).map(\.rowCount) == [32, 32, 36])
  }

  @Test func oneRankOwnsTheFirstRows() {
    for rankCount in Self.rankCounts {
      #expect(shards(64, over: rankCount, of: 16).filter(\.isFirst).count == 1)
    }
  }

  @Test func hugeBatchDoesNotOverflow() {
    let last = shards(.max, over: 1000).last
    #expect(last?.rows.upperBound == .max)
  }
}

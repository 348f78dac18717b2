import NeuralNetwork
import Testing

@Suite struct ShardTests {
  private func shards(_ size: Int, over rankCount: Int) -> [Shard] {
    (0..<rankCount).map { Shard(globalBatchSize: size, rank: $0, rankCount: rankCount) }
  }

  @Test(arguments: [0, 1, 2, 3, 7, 8, 31, 64, 100, 257], [1, 2, 3, 4, 5, 7, 8, 12, 64, 300])
  func shardsCoverTheBatchOnceInOrder(size: Int, rankCount: Int) {
    #expect(shards(size, over: rankCount).flatMap { Array($0.rows) } == Array(0..<size))
  }

  @Test(arguments: [0, 1, 2, 3, 7, 8, 31, 64, 100, 257], [1, 2, 3, 4, 5, 7, 8, 12, 64, 300])
  func shardSizesDifferByAtMostOne(size: Int, rankCount: Int) {
    let counts = shards(size, over: rankCount).map(\.rowCount)
    #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
  }

  @Test(arguments: [0, 1, 2, 3, 7, 8, 31, 64, 100, 257], [1, 2, 3, 4, 5, 7, 8, 12, 64, 300])
  func boundsAreFloors(size: Int, rankCount: Int) {
    for shard in shards(size, over: rankCount) {
      #expect(shard.firstRow == shard.rank * size / rankCount)
      #expect(shard.rows == shard.firstRow..<(shard.rank + 1) * size / rankCount)
      #expect(shard.rowCount == shard.rows.count)
    }
  }

  @Test func moreRanksThanRowsGivesEmptyShards() {
    #expect(shards(3, over: 5).map(\.rowCount) == [0, 1, 0, 1, 1])
  }

  @Test func oneRankOwnsAll() {
    #expect(Shard(globalBatchSize: 64, rank: 0, rankCount: 1).rows == 0..<64)
  }

  @Test func hugeBatchDoesNotOverflow() {
    let last = Shard(globalBatchSize: .max, rank: 999, rankCount: 1000)
    #expect(last.rows.upperBound == .max)
  }
}

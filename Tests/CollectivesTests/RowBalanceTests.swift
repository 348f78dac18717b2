import Collectives
import Testing

/// Who waits for whom, as the first lines of a run say it.
struct RowBalanceTests {
  private static func sentence(
    _ hosts: [[Int]], threads: [Int]? = nil, batchSize: Int
  ) -> String? {
    let ranks = hosts.joined().count
    let topology = Topology(
      rank: 0, ranksOfHosts: hosts, threadsOfRank: threads ?? Array(repeating: 1, count: ranks))
    let placement = BatchPlacement(globalBatchSize: batchSize, topology: topology)
    return RowBalance(placement, topology).sentence(hosts.indices.map { "node\($0 + 1)" })
  }

  @Test func nobodyWaitsWhereAllHaveAsMuch() {
    #expect(Self.sentence([[0], [1]], batchSize: 64) == nil)
    #expect(Self.sentence([[0, 1], [2], [3]], batchSize: 64) == nil)
    // In proportion to the threads: 48 and 16.
    #expect(Self.sentence([[0], [1]], threads: [3, 1], batchSize: 64) == nil)
  }

  @Test func wholeBlocksLeaveSomebodyWithLess() {
    #expect(
      Self.sentence([[0], [1], [2]], batchSize: 64)
        == "node1 (16 rows a thread) will wait for 2 hosts (24)")
    #expect(
      Self.sentence([[0], [1]], batchSize: 40)
        == "node1 (16 rows a thread) will wait for node2 (24)"
    )
  }

  @Test func hostsWithoutRowsAreNamed() {
    #expect(
      Self.sentence([[0], [1], [2]], batchSize: 16)
        == "node1 (0 rows a thread) will wait for 2 hosts (8)")
  }
}

import MPI
import Testing

@Suite struct PartitionTests {
  @Test(arguments: [1, 15, 16, 17, 1000, 576_912 + 1], [1, 2, 3, 7, 64])
  func slicesCoverTheBufferOnceInOrder(count: Int, ranks: Int) throws {
    let partition = try Partition(count: count, rankCount: ranks)
    let covered = (0..<ranks).flatMap { Array(partition.range(ofRank: $0)) }
    #expect(covered == Array(0..<count))
  }

  @Test func slicesBeginOnCacheLines() throws {
    let partition = try Partition(count: 1000, rankCount: 7)
    #expect(partition.offsets.allSatisfy { $0 % 16 == 0 })
    let sizes = partition.counts.dropLast()
    #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 16)
  }

  @Test func moreThanAMessageCanNameIsRefused() {
    #expect(throws: MPIError.self) {
      try Partition(count: Int(Int32.max) + 1, rankCount: 2)
    }
  }
}

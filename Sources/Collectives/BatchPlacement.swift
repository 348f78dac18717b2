/// Whose rows are whose: the blocks of a global batch are dealt out to the ranks, and a rank's to its threads.
///
/// Blocks and leaves are constants of how sums are taken (page *One way to sum*): a result depends neither on ranks,
/// nor on threads, nor on hosts.
public struct BatchPlacement: Equatable, Sendable {
  /// Rows of a block, the last one perhaps fewer: what a worker gets at least, and a leaf of sums over features.
  public static let blockSize = 8
  /// Rows of a leaf, the last one perhaps fewer: a chain of multiply-adds in a weight gradient.
  public static let leafSize = 64

  /// B, in samples.
  public let globalBatchSize: Int
  /// Rows of each host: all rows, in order.
  public let rowsOfHosts: [Range<Int>]
  /// Rows of each rank, in the order of their places.
  public let rowsOfPlaces: [Range<Int>]
  /// Rows of each thread of this rank.
  public let rowsOfThreads: [Range<Int>]

  public init(globalBatchSize: Int, topology: Topology) {
    precondition(globalBatchSize >= 0)
    self.globalBatchSize = globalBatchSize
    let blocks = Self.blockCount(globalBatchSize)
    func rows(_ blocks: Range<Int>) -> Range<Int> {
      min(
        blocks.lowerBound * Self.blockSize, globalBatchSize)..<min(
          blocks.upperBound * Self.blockSize, globalBatchSize)
    }
    // Threads that get rows, in the order of their ranks' places.
    var firstThreads = [0]
    for rank in topology.order {
      firstThreads.append(firstThreads[firstThreads.count - 1] + topology.rowThreadsOfRank[rank])
    }
    let threadCount = firstThreads[topology.rankCount]
    func rows(ofThreads threads: Range<Int>) -> Range<Int> {
      func start(_ thread: Int) -> Int {
        thread == threadCount
          ? blocks : Self.share(thread, of: blocks, over: threadCount).lowerBound
      }
      return rows(start(threads.lowerBound)..<start(threads.upperBound))
    }
    rowsOfHosts = (0..<topology.hostCount).map {
      let places = topology.places(ofHost: $0)
      return rows(ofThreads: firstThreads[places.lowerBound]..<firstThreads[places.upperBound])
    }
    rowsOfPlaces = topology.order.indices.map {
      rows(ofThreads: firstThreads[$0]..<firstThreads[$0 + 1])
    }
    let own = firstThreads[topology.place]..<firstThreads[topology.place + 1]
    rowsOfThreads = (0..<topology.threadsOfRank[topology.rank]).map { thread in
      let first = min(own.lowerBound + thread, own.upperBound)
      return rows(ofThreads: first..<min(first + 1, own.upperBound))
    }
  }

  /// Blocks of a batch.
  public var blockCount: Int { Self.blockCount(globalBatchSize) }

  /// Blocks that so many rows make.
  public static func blockCount(_ rows: Int) -> Int { (rows + blockSize - 1) / blockSize }

  /// The blocks that begin in a range of rows.
  public static func blocks(_ rows: Range<Int>) -> Range<Int> {
    blockCount(rows.lowerBound)..<blockCount(rows.upperBound)
  }

  /// Which of `count` neighbours the owner of that number gets: nearly as many as any other.
  public static func share(_ owner: Int, of count: Int, over owners: Int) -> Range<Int> {
    let (share, rest) = count.quotientAndRemainder(dividingBy: owners)
    func start(_ owner: Int) -> Int { owner * share + owner * rest / owners }
    return start(owner)..<start(owner + 1)
  }
}

/// The two movements of an all-reduce, planned once for fixed memory: every rank gets its slice of all
/// ranks' buffers; later every rank gets all finished slices.
///
/// MPI moves the bytes; who adds them up, and in which order, is the caller's business. Each movement is begun
/// and awaited by itself, so that work can go on in between.
public final class SliceExchange {
  /// Whose slice is where in the buffer.
  public let partition: Partition
  /// This rank's slice of the buffer.
  public let ownSlice: UnsafeMutableBufferPointer<Float>
  /// `[ranks, slice]`: this rank's slice of all ranks' buffers, once ``collecting`` is complete.
  public let slices: UnsafeMutableBufferPointer<Float>
  /// Brings this rank's slice from all ranks. All ranks have started it when it is complete on one (unless there
  /// are fewer cache lines than ranks).
  public let collecting: PlannedExchange
  /// Gives this rank's slice of the buffer to all ranks, and takes theirs.
  public let distributing: PlannedExchange
  private let ownCopy: UnsafeMutableBufferPointer<Float>

  /// Every rank must call this.
  /// - Parameters:
  ///   - buffer: has the same size on every rank.
  ///   - tag: as in ``PlannedExchange``; the next one is taken, too.
  ///   - owner: keeps the buffer for as long as it lives.
  /// - Throws: ``MPIError``, also for more elements than one message can name.
  public init(
    of buffer: UnsafeMutableBufferPointer<Float>, owner: AnyObject, tag: Int,
    over communicator: Communicator
  ) throws {
    let partition = try Partition(count: buffer.count, rankCount: communicator.rankCount)
    func slice(_ rank: Int) -> UnsafeMutableBufferPointer<Float> {
      UnsafeMutableBufferPointer(rebasing: buffer[partition.range(ofRank: rank)])
    }
    let own = slice(communicator.rank)
    let arrivals = ExchangeMemory<Float>(count: own.count * communicator.rankCount)
    func arrival(_ rank: Int) -> UnsafeMutableBufferPointer<Float> {
      UnsafeMutableBufferPointer(
        rebasing: arrivals.elements[rank * own.count..<(rank + 1) * own.count])
    }
    let others = communicator.otherRanks
    collecting = try PlannedExchange(
      sending: others.map { Parcel(rank: $0, elements: slice($0)) },
      receiving: others.map { Parcel(rank: $0, elements: arrival($0)) },
      tag: tag, owner: Owners(owner, arrivals), over: communicator)
    distributing = try PlannedExchange(
      sending: others.map { Parcel(rank: $0, elements: own) },
      receiving: others.map { Parcel(rank: $0, elements: slice($0)) },
      tag: tag + 1, owner: owner, over: communicator)
    self.partition = partition
    (ownSlice, slices, ownCopy) = (own, arrivals.elements, arrival(communicator.rank))
  }

  /// Begins to collect this rank's slice from all ranks. Every rank must call this.
  /// - Throws: ``MPIError``.
  public func startCollecting() throws {
    try collecting.start()
    _ = ownCopy.update(fromContentsOf: ownSlice)
  }
}

/// Two owners for one exchange.
private final class Owners {
  private let first, second: AnyObject

  init(_ first: AnyObject, _ second: AnyObject) { (self.first, self.second) = (first, second) }
}

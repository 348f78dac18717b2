/// The two movements of an all-reduce, planned once for fixed memory: every rank gets its slice of all
/// ranks' parts; later every rank gets all finished slices.
///
/// MPI moves the bytes; who adds them up, and in which order, is the caller's business. Each movement is begun
/// and awaited by itself, so that work can go on in between.
public final class SliceExchange {
  /// This rank's slice of the sum: to be written between the two movements.
  public let ownSlice: UnsafeMutableBufferPointer<Float>
  /// This rank's slice of all ranks' parts, in rank order, once ``collecting`` is complete: each `[slice]`.
  public let slices: [UnsafePointer<Float>]
  /// Brings this rank's slices from all ranks. All ranks that have parts have started it when it is complete on one
  /// (unless there are fewer cache lines than ranks).
  public let collecting: PlannedExchange
  /// Gives this rank's slice of the sum to all ranks, and takes theirs.
  public let distributing: PlannedExchange

  /// How many tags an exchange takes.
  public static func tagCount(partCountOfRank: [Int]) -> Int {
    (partCountOfRank.max() ?? 0) + 1
  }

  /// Every rank must call this.
  /// - Parameters:
  ///   - parts: what this rank adds; all parts of all ranks have one size.
  ///   - partCountOfRank: how many parts each rank has.
  ///   - sum: where the sum will be, as large as a part; it may be one of this rank's parts.
  ///   - tag: as in ``PlannedExchange``; the next ones are taken, too.
  ///   - owner: keeps parts and sum for as long as it lives.
  /// - Throws: ``MPIError``, also for more elements than one message can name.
  public init(
    of parts: [UnsafeMutableBufferPointer<Float>], partCountOfRank: [Int],
    into sum: UnsafeMutableBufferPointer<Float>, owner: AnyObject, tag: Int,
    over communicator: Communicator
  ) throws {
    precondition(
      parts.count == partCountOfRank[communicator.rank]
        && parts.allSatisfy { $0.count == sum.count })
    let partition = try Partition(count: sum.count, rankCount: communicator.rankCount)
    func slice(
      _ buffer: UnsafeMutableBufferPointer<Float>, _ rank: Int
    ) -> UnsafeMutableBufferPointer<Float> {
      UnsafeMutableBufferPointer(rebasing: buffer[partition.range(ofRank: rank)])
    }
    let own = slice(sum, communicator.rank)
    let foreignPartCount = partCountOfRank.reduce(0, +) - parts.count
    let arrivals = try ExchangeMemory<Float>(count: own.count * foreignPartCount)
    // In rank order: own slices where they are, those of others where they arrive.
    var slices: [UnsafePointer<Float>] = []
    var receiving: [Parcel<Float>] = []
    for (rank, count) in partCountOfRank.enumerated() {
      for part in 0..<count {
        let place: UnsafeMutableBufferPointer<Float>
        if rank == communicator.rank {
          place = slice(parts[part], rank)
        } else {
          let begin = receiving.count * own.count
          place = UnsafeMutableBufferPointer(
            rebasing: arrivals.elements[begin..<begin + own.count])
          receiving.append(Parcel(rank: rank, elements: place, tag: part))
        }
        // An empty slice needs no address.
        slices.append(UnsafePointer(place.baseAddress ?? arrivals.elements.baseAddress!))
      }
    }
    let others = communicator.otherRanks
    collecting = try PlannedExchange(
      sending: parts.enumerated().flatMap { part, buffer in
        others.map { Parcel(rank: $0, elements: slice(buffer, $0), tag: part) }
      },
      receiving: receiving, tag: tag, owner: Owners(owner, arrivals), over: communicator)
    distributing = try PlannedExchange(
      sending: others.map { Parcel(rank: $0, elements: own) },
      receiving: others.map { Parcel(rank: $0, elements: slice(sum, $0)) },
      tag: tag + Self.tagCount(partCountOfRank: partCountOfRank) - 1, owner: owner,
      over: communicator)
    (ownSlice, self.slices) = (own, slices)
  }
}

/// Two owners for one exchange.
private final class Owners {
  private let first, second: AnyObject

  init(_ first: AnyObject, _ second: AnyObject) { (self.first, self.second) = (first, second) }
}

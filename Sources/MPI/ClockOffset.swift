import COpenMPI

/// How far another rank's clock is from rank 0's, estimated by messages there and back.
public struct ClockOffset: Equatable, Sendable {
  /// What the other's times need added to be rank 0's, in nanoseconds.
  public let offset: Int
  /// How wrong that can be: half the round trip, in nanoseconds.
  public let uncertainty: Int

  public init(offset: Int, uncertainty: Int) {
    (self.offset, self.uncertainty) = (offset, uncertainty)
  }

  /// A clock that needs no estimate.
  public static let none = ClockOffset(offset: 0, uncertainty: 0)
}

extension Communicator {
  /// Compares all ranks' clocks with rank 0's, one after the other: of some round trips the shortest counts, because
  /// the other's time was read somewhere in it (Cristian, 1989). Every rank must call this.
  /// - Parameter now: the time of this rank's clock, in nanoseconds.
  /// - Returns: one for each rank on rank 0; nothing on all others.
  /// - Throws: ``MPIError``.
  public func clockOffsets(now: () -> Int) throws -> [ClockOffset] {
    let roundTrips = 50
    guard rank == 0 else {
      for _ in 0..<roundTrips {
        _ = try receiveNumber(from: 0)
        try send(now(), to: 0)
      }
      return []
    }
    return try [.none]
      + otherRanks.map { other in
        var best = ClockOffset(offset: 0, uncertainty: .max)
        for _ in 0..<roundTrips {
          let sent = now()
          try send(0, to: other)
          let remote = try receiveNumber(from: other)
          let uncertainty = (now() - sent + 1) / 2
          if uncertainty < best.uncertainty {
            best = ClockOffset(offset: sent + uncertainty - remote, uncertainty: uncertainty)
          }
        }
        return best
      }
  }

  // No exchange of training is under way, so any tag does.
  private func send(_ number: Int, to rank: Int) throws {
    var number = number
    try check(
      MPI_Send(&number, 1, Int.datatype, Int32(rank), 0, handle), "MPI_Send to rank \(rank)")
  }

  private func receiveNumber(from rank: Int) throws -> Int {
    var number = 0
    try check(
      MPI_Recv(&number, 1, Int.datatype, Int32(rank), 0, handle, MPI_STATUS_IGNORE),
      "MPI_Recv from rank \(rank)")
    return number
  }
}

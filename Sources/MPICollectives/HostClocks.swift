import MPI
import Matrices

/// The clocks of all hosts. Ranks of a host share one.
public struct HostClocks {
  private let teams: HostTeams

  /// Every rank must call this.
  /// - Throws: `MPIError`.
  public init(_ communicator: Communicator) throws { teams = try HostTeams(communicator) }

  /// How far each rank's clock is from rank 0's now. Every rank must call this, with no exchange under way.
  /// - Returns: on rank 0; nothing on all others.
  /// - Throws: `MPIError`.
  public func offsets() throws -> [ClockOffset] {
    let ofHosts = try teams.leaders?.clockOffsets(now: Timeline.now) ?? []
    guard teams.world.rank == 0 else { return [] }
    var offsets = [ClockOffset](repeating: .none, count: teams.world.rankCount)
    for (offset, ranks) in zip(ofHosts, teams.ranksOfHosts) {
      for rank in ranks { offsets[rank] = offset }
    }
    return offsets
  }
}

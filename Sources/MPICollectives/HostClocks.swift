import MPI
import Timelines

/// The clocks of all hosts. Ranks of a host share one.
public struct HostClocks {
  private let hosts: Hosts

  public init(_ hosts: Hosts) { self.hosts = hosts }

  /// How far each rank's clock is from rank 0's now. Every rank must call this, with no exchange under way.
  /// - Returns: on rank 0; nothing on all others.
  /// - Throws: `MPIError`.
  public func offsets() throws -> [ClockOffset] {
    let ofHosts = try hosts.leaders?.clockOffsets(now: Timeline.now) ?? []
    guard hosts.world.rank == 0 else { return [] }
    var offsets = [ClockOffset](repeating: .none, count: hosts.world.rankCount)
    for (offset, ranks) in zip(ofHosts, hosts.ranks) {
      for rank in ranks { offsets[rank] = offset }
    }
    return offsets
  }
}

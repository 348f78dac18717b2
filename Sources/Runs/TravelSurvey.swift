import Collectives
import MPI
import MPICollectives
import ProcessorPeak

extension TravelCosts {
  /// What matrix products reach of the peak, more or less.
  private static let efficiencyOfProducts = 0.6

  /// Measures the network between the hosts' leaders, and all ranks' processors, in some hundredths of a second.
  /// Every rank must call this.
  /// - Returns: the same on all ranks; nil on one host.
  /// - Throws: `MPIError`.
  package static func measure(_ hosts: Hosts) throws -> TravelCosts? {
    guard hosts.ranks.count > 1 else { return nil }
    let world = hosts.world
    try world.barrier()
    let peaks = try world.allGather(PeakRate.measure(seconds: 0.02))
    let slowest = hosts.ranks.map { $0.reduce(0) { $0 + peaks[$1] } }.min() ?? 0
    let bytes = try world.broadcast(hosts.bytesPerSecond() ?? 0, from: 0)
    return TravelCosts(
      bytesPerSecond: bytes, operationsPerSecond: Self.efficiencyOfProducts * slowest)
  }
}

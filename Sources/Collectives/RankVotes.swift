/// Whether any rank of all hosts has said yes: each tells its host, and the leaders of hosts add up.
///
/// Between reading the result and the next vote, all ranks of a host have to meet in some other exchange.
public final class RankVotes {
  /// What has to run inside an exchange, when all ranks of the host have voted.
  public let movement: Movement
  /// Of each rank of this host.
  private let own: UnsafeMutableBufferPointer<Double>
  private let places: UnsafeMutablePointer<Double>
  private let schedule: NodeSchedule
  private let topology: Topology

  /// Every rank must call this.
  /// - Throws: what the collective throws.
  public init(over collective: any Collective) throws {
    let topology = collective.topology
    self.topology = topology
    let schedule = NodeSchedule(
      LeafPlacement(hostCount: topology.hostCount), rowCount: topology.hostCount,
      bytesOfNode: MemoryLayout<Double>.stride, topology,
      mostDirect: collective.mostHostsOfDirectExchange)
    let own = try collective.makeNumbers(
      of: Double.self, count: topology.ranksOfHosts[topology.host].count,
      for: "what ranks of a host wish")
    let places = try collective.makeNumbers(
      of: Double.self, count: schedule.placeCount, for: "what hosts wish"
    ).baseAddress!
    movement = try collective.makeMovement(
      schedule.schedule, in: [UnsafeMutableRawPointer(places)],
      preparing: { places[schedule.own[0].place] = own.contains { $0 != 0 } ? 1 : 0 },
      adding: { target, source, _ in
        target.assumingMemoryBound(to: Double.self).pointee += source.load(as: Double.self)
      })
    (self.schedule, self.own, self.places) = (schedule, own, places)
  }

  /// This rank's vote.
  public func vote(_ isYes: Bool) { own[topology.rankOnHost] = isYes ? 1 : 0 }

  /// Whether any rank has said yes, after the exchange. Nothing is allocated.
  public var isAnyYes: Bool {
    if topology.hostCount == 1 {
      for vote in own where vote != 0 { return true }
    } else {
      for term in schedule.terms where places[term.place] != 0 { return true }
    }
    return false
  }
}

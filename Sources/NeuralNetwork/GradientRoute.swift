import Collectives

/// How a network's weight gradients come about on several hosts: rows travel, or sums travel. The bits are the same.
///
/// Either all rows go to all hosts, and each takes all sums (sufficient factor broadcasting, Xie et al., 2016). Or each
/// host takes the sums of its own leaves, gets the rows of those that it shares with others, and the sums travel.
/// Which of the two is quicker depends on the batch, on the network and on the processors. MPI's collectives know sums
/// only.
public struct GradientRoute: Sendable {
  /// Whether sums travel.
  public let sumsTravel: Bool
  /// Whose leaves of a weight gradient are whose; with MPI's collectives each host is a leaf.
  public let leaves: LeafPlacement
  /// Rows that each host needs.
  public let rowsForHosts: [Range<Int>]
  /// How this host adds up its nodes where sums travel.
  public let orders: [SummationOrder]

  /// - Parameters:
  ///   - bytesOfRow: of inputs and gradients of the network's layers, all passes.
  ///   - bytesOfGradient: of the network.
  ///   - operationsOfRow: that a row's part in the weight gradients takes, all passes.
  public init(
    bytesOfRow: Int, bytesOfGradient: Int, operationsOfRow: Int, of batch: DistributedBatch
  ) {
    let placement = batch.placement
    let (rows, host) = (batch.rows, batch.collective.topology.host)
    guard batch.collective.networkCollectives == .own || placement.rowsOfHosts.count == 1 else {
      sumsTravel = true
      leaves = LeafPlacement(hostCount: placement.rowsOfHosts.count)
      rowsForHosts = placement.rowsOfHosts
      orders = [SummationOrder(ofRows: placement.rowsOfHosts[host], rowsOfPass: rows)]
      return
    }
    let leaves = LeafPlacement(
      rowsOfHosts: placement.rowsOfHosts, leafSize: BatchPlacement.leafSize)
    self.leaves = leaves
    // A single leaf is one host's: the others would have nothing to add.
    sumsTravel =
      leaves.hostCount > 1 && leaves.tree.leafCount > 1
      && Self.sumsAreQuicker(
        bytesOfRows: Double(batch.rows * bytesOfRow), bytesOfGradient: Double(bytesOfGradient),
        operations: Double(batch.rows * operationsOfRow), batch.collective.travelCosts)
    rowsForHosts =
      sumsTravel
      ? leaves.leavesOfHosts.indices.map { leaves.rows(ofHost: $0, of: batch.rows) }
      : leaves.leavesOfHosts.map { _ in 0..<batch.rows }
    orders = leaves.nodes(ofHost: host).map {
      SummationOrder(rows: rows, terms: $0.map { $0..<$0 + 1 })
    }
  }

  /// Both ways a host sends (and receives) a part of all that there is, which is the larger the more hosts there are,
  /// and where rows travel it computes the same part of the sums for a second time. So the part does not matter.
  static func sumsAreQuicker(
    bytesOfRows: Double, bytesOfGradient: Double, operations: Double, _ costs: TravelCosts
  ) -> Bool {
    // Scattered, and gathered again.
    costs.seconds(bytes: 2 * bytesOfGradient, operations: 0)
      < costs.seconds(bytes: bytesOfRows, operations: operations)
  }
}

import Collectives

/// How a network's weight gradients come about on several hosts: rows travel, or sums travel. The bits are the same.
///
/// Where few rows make a batch, all rows go to all hosts, and each takes all sums (sufficient factor broadcasting, Xie
/// et al., 2016). Else each host takes the sums of its own leaves, gets the rows of those that it shares with others,
/// and the sums travel.
public struct GradientRoute: Sendable {
  /// Whether sums travel.
  public let sumsTravel: Bool
  /// Whose leaves of a weight gradient are whose.
  public let leaves: LeafPlacement
  /// Rows that each host needs.
  public let rowsForHosts: [Range<Int>]

  /// - Parameters:
  ///   - bytesOfRow: of inputs and gradients of the network's layers, all passes.
  ///   - bytesOfGradient: of the network.
  public init(bytesOfRow: Int, bytesOfGradient: Int, of batch: DistributedBatch) {
    let placement = batch.placement
    let leaves = LeafPlacement(
      rowsOfHosts: placement.rowsOfHosts, leafSize: BatchPlacement.leafSize)
    self.leaves = leaves
    // A single leaf is one host's: the others would have nothing to add.
    sumsTravel =
      leaves.hostCount > 1 && leaves.tree.leafCount > 1
      && batch.rows * bytesOfRow > bytesOfGradient
    rowsForHosts =
      sumsTravel
      ? leaves.leavesOfHosts.indices.map { leaves.rows(ofHost: $0, of: batch.rows) }
      : leaves.leavesOfHosts.map { _ in 0..<batch.rows }
  }
}

/// Which leaves of a sum over rows each host has. A leaf belongs to the host that has its first row.
public struct LeafPlacement: Equatable, Sendable {
  public let tree: SummationTree
  public let leafSize: Int
  /// Leaves of each host; it may be none.
  public let leavesOfHosts: [Range<Int>]

  /// - Parameter rowsOfHosts: all rows, in order.
  public init(rowsOfHosts: [Range<Int>], leafSize: Int) {
    func leaves(_ rows: Int) -> Int { (rows + leafSize - 1) / leafSize }
    self.leafSize = leafSize
    tree = SummationTree(leafCount: leaves(rowsOfHosts.last?.upperBound ?? 0))
    leavesOfHosts = rowsOfHosts.map { leaves($0.lowerBound)..<leaves($0.upperBound) }
  }

  /// One leaf a host.
  public init(hostCount: Int) {
    self.init(rowsOfHosts: (0..<hostCount).map { $0..<$0 + 1 }, leafSize: 1)
  }

  public var hostCount: Int { leavesOfHosts.count }

  /// The nodes whose sums a host takes by itself.
  public func nodes(ofHost host: Int) -> [Range<Int>] { tree.nodes(of: leavesOfHosts[host]) }

  /// Of all hosts.
  public var nodesOfHosts: [[Range<Int>]] { leavesOfHosts.indices.map(nodes(ofHost:)) }

  /// Rows of a host's leaves, those of other hosts among them.
  public func rows(ofHost host: Int, of rowCount: Int) -> Range<Int> {
    let leaves = leavesOfHosts[host]
    return min(leaves.lowerBound * leafSize, rowCount)..<min(leaves.upperBound * leafSize, rowCount)
  }

  /// Whether every host has one node, and the hosts are the leaves of a tree like that of the leaves: all but the last
  /// have the same power of two, and the last no more.
  public var isAligned: Bool {
    guard let count = leavesOfHosts.first?.count, count.nonzeroBitCount == 1 else { return false }
    return leavesOfHosts.dropLast().allSatisfy { $0.count == count }
      && (1...count).contains(leavesOfHosts[hostCount - 1].count)
  }
}

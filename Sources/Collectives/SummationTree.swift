/// The one binary tree in which the leaves of a sum are added: a node of n > 1 leaves adds the sum of its first
/// 2ᵏ < n ≤ 2ᵏ⁺¹ leaves to that of the rest (pairwise summation, Higham, 1993).
///
/// A node is the range of its leaves.
public struct SummationTree: Equatable, Sendable {
  public let leafCount: Int

  public init(leafCount: Int) { self.leafCount = leafCount }

  /// The two parts of a node of several leaves.
  static func parts(_ node: Range<Int>) -> (left: Range<Int>, right: Range<Int>) {
    var half = 1
    while 2 * half < node.count { half *= 2 }
    let middle = node.lowerBound + half
    return (node.lowerBound..<middle, middle..<node.upperBound)
  }

  /// The fewest nodes that are together some neighbouring leaves, in order.
  public func nodes(of leaves: Range<Int>) -> [Range<Int>] {
    guard !leaves.isEmpty else { return [] }
    var nodes: [Range<Int>] = []
    func visit(_ node: Range<Int>) {
      if node.clamped(to: leaves) == node {
        nodes.append(node)
      } else if node.overlaps(leaves) {
        let (left, right) = Self.parts(node)
        visit(left)
        visit(right)
      }
    }
    visit(0..<leafCount)
    return nodes
  }

  /// How many additions follow after each of some terms, if each is put on a stack and the two topmost sums are added.
  /// - Parameter terms: nodes that are together one node, in order.
  public static func additions(_ terms: [Range<Int>]) -> [Int] {
    guard let first = terms.first, let last = terms.last else { return [] }
    var additions: [Int] = []
    func visit(_ node: Range<Int>) {
      if node == terms[additions.count] {
        additions.append(0)
      } else {
        let (left, right) = parts(node)
        visit(left)
        visit(right)
        additions[additions.count - 1] += 1
      }
    }
    visit(first.lowerBound..<last.upperBound)
    return additions
  }
}

import TestSupport
import Testing

@testable import Matrices

/// The tree in which sums are taken, whoever owns its leaves.
@Suite struct SummationTreeTests {
  /// A sum that shows its brackets.
  private func brackets(_ parts: [Range<Int>], in tree: SummationTree) -> String {
    let order = tree.order(of: parts)
    var stack = [String](repeating: "", count: max(order.depth, 1))
    func name(_ node: Range<Int>) -> String {
      node.count == 1 ? "\(node.lowerBound)" : brackets(node.map { $0..<$0 + 1 }, in: tree)
    }
    order.walk { part, place in
      stack[place] = name(parts[part])
    } add: { place in
      stack[place] = "(\(stack[place])+\(stack[place + 1]))"
    }
    return stack[0]
  }

  @Test(arguments: [
    (1, "0"), (2, "(0+1)"), (3, "((0+1)+2)"), (4, "((0+1)+(2+3))"), (5, "(((0+1)+(2+3))+4)"),
    (6, "(((0+1)+(2+3))+(4+5))"), (7, "(((0+1)+(2+3))+((4+5)+6))"),
  ])
  func theTreeIsThis(leafCount: Int, expected: String) {
    let tree = SummationTree(leafCount: leafCount)
    #expect(brackets((0..<leafCount).map { $0..<$0 + 1 }, in: tree) == expected)
  }

  /// Leaves taken by twos and fours make the same tree.
  @Test(arguments: 1...40)
  func groupsMakeTheSameTree(leafCount: Int) {
    let tree = SummationTree(leafCount: leafCount)
    let order = tree.order(ofLeavesOf: 0..<leafCount)
    var stack: [String] = []
    var leaf = 0
    while leaf < leafCount {
      let (count, additions) = order.group(at: leaf)
      stack.append(
        brackets((0..<count).map { $0..<$0 + 1 }, in: SummationTree(leafCount: count))
          .replacing(/[0-9]+/) { "\(Int($0.output)! + leaf)" })
      for _ in 0..<additions {
        let last = stack.removeLast()
        stack[stack.count - 1] = "(\(stack[stack.count - 1])+\(last))"
      }
      leaf += count
    }
    #expect(stack == [brackets((0..<leafCount).map { $0..<$0 + 1 }, in: tree)])
  }

  /// However the leaves are dealt out, the nodes that the owners add up make the same tree.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 13, 16, 33], [1, 2, 3, 4, 5, 7, 8])
  func nodesOfOwnersMakeTheSameTree(leafCount: Int, ownerCount: Int) {
    let tree = SummationTree(leafCount: leafCount)
    let whole = brackets((0..<leafCount).map { $0..<$0 + 1 }, in: tree)
    let nodes = (0..<ownerCount).flatMap { owner in
      tree.nodes(
        of: owner * leafCount / ownerCount..<(owner + 1) * leafCount / ownerCount)
    }
    #expect(brackets(nodes, in: tree) == whole)
  }

  @Test func alignedPowersOfTwoAreOneNode() {
    let tree = SummationTree(leafCount: 16)
    #expect(tree.nodes(of: 4..<8) == [4..<8])
    #expect(tree.nodes(of: 0..<16) == [0..<16])
    #expect(tree.nodes(of: 3..<9) == [3..<4, 4..<8, 8..<9])
    #expect(tree.nodes(of: 5..<5) == [])
  }

  /// The kernel adds as the tree says: numbers of unlike sizes show every other order.
  @Test(arguments: [1, 2, 3, 4, 6, 7, 16], [1, 511, 512, 513, 1500])
  func theKernelAddsInTheTreesOrder(leafCount: Int, count: Int) {
    let workspace = Workspace()
    defer { withExtendedLifetime(workspace) {} }
    let leaves = (0..<leafCount).map { leaf in
      workspace.normals(
        rows: 1, columns: count, stream: UInt32(leaf), deviation: leaf.isMultiple(of: 2) ? 1e4 : 1)
    }
    let order = SummationTree(leafCount: leafCount).order(ofLeavesOf: 0..<leafCount)
    var stack = [[Float]](repeating: [], count: order.depth)
    order.walk { leaf, place in
      stack[place] = Array(leaves[leaf].buffer)
    } add: { place in
      stack[place] = zip(stack[place], stack[place + 1]).map(+)
    }
    // The sum may take the place of a part.
    let walk = TreeWalk(order)
    VectorMath.sum(
      leaves.map { UnsafePointer($0.elements) }, order: walk, count: count,
      into: leaves[0].elements)
    withExtendedLifetime(walk) {
      #expect(leaves[0].buffer.map(\.bitPattern) == stack[0].map(\.bitPattern))
    }
  }
}

/// The one binary tree in which a sum over numbered leaves is taken.
///
/// Floating-point addition is not associative: a sum has the same bits for any number of ranks only if the same
/// pairs are added, wherever the leaves are. A node of n > 1 leaves adds the sum of its first 2ᵏ < n ≤ 2ᵏ⁺¹ leaves to
/// that of the rest; so the tree depends on the number of leaves alone (pairwise summation, Higham, 1993).
public struct SummationTree: Equatable, Sendable {
  public let leafCount: Int

  public init(leafCount: Int) {
    precondition(leafCount >= 0)
    self.leafCount = leafCount
  }

  /// Where a node of these leaves is cut in two.
  private static func middle(_ node: Range<Int>) -> Int {
    var size = 1
    while 2 * size < node.count { size *= 2 }
    return node.lowerBound + size
  }

  /// The fewest whole nodes that together hold the leaves of a range, in order.
  ///
  /// Whoever owns the leaves can add up these nodes without asking anybody.
  public func nodes(of leaves: Range<Int>) -> [Range<Int>] {
    func nodes(_ node: Range<Int>) -> [Range<Int>] {
      if leaves.isEmpty || !node.overlaps(leaves) { return [] }
      if leaves.lowerBound <= node.lowerBound && node.upperBound <= leaves.upperBound {
        return [node]
      }
      let middle = Self.middle(node)
      return nodes(node.lowerBound..<middle) + nodes(middle..<node.upperBound)
    }
    return nodes(0..<leafCount)
  }

  /// How to add up a node from parts: nodes or leaves that make it up, in order.
  public func order(of parts: [Range<Int>]) -> SummationOrder {
    var additions: [Int] = []
    let isPart = Set(parts)
    func visit(_ node: Range<Int>) {
      if isPart.contains(node) {
        additions.append(0)
        return
      }
      precondition(node.count > 1, "parts that are no nodes of the tree")
      let middle = Self.middle(node)
      visit(node.lowerBound..<middle)
      visit(middle..<node.upperBound)
      additions[additions.count - 1] += 1
    }
    if let first = parts.first, let last = parts.last { visit(first.lowerBound..<last.upperBound) }
    precondition(additions.count == parts.count, "parts that are not in order")
    return SummationOrder(additions: additions)
  }

  /// How to add up a node from its leaves.
  public func order(ofLeavesOf node: Range<Int>) -> SummationOrder {
    order(of: node.map { $0..<$0 + 1 })
  }
}

/// A walk through a tree from its leaves to its root: parts are put on a stack one after the other, and after each the
/// two topmost sums are added a number of times.
public struct SummationOrder: Equatable, Sendable {
  /// After each part: how many additions follow.
  public let additions: [Int]
  /// Places that the stack needs.
  public let depth: Int

  public init(additions: [Int]) {
    self.additions = additions
    var (level, depth) = (0, 0)
    for count in additions {
      level += 1
      depth = max(depth, level)
      level -= count
    }
    precondition(level == (additions.isEmpty ? 0 : 1), "a walk that does not end at the root")
    self.depth = depth
  }

  public var partCount: Int { additions.count }

  /// How many parts from this one on are a small tree of their own, of four leaves, of two or of one; and how many
  /// additions follow behind it.
  func group(at part: Int) -> (count: Int, additions: Int) {
    let next = additions[part...]
    for (shape, own) in [([0, 1, 0], 2), ([0], 1)] {
      let last = part + shape.count
      if next.starts(with: shape), last < additions.count, additions[last] >= own {
        return (shape.count + 1, additions[last] - own)
      }
    }
    return (1, additions[part])
  }

  /// Walks: `put(part, place)` writes a part to a place of the stack (0 is the lowest, and holds the sum in the
  /// end); `add(place)` adds the sum at `place + 1` to the one at `place`.
  @inlinable
  public func walk(
    put: (_ part: Int, _ place: Int) throws -> Void, add: (_ place: Int) throws -> Void
  ) rethrows {
    var level = 0
    for part in additions.indices {
      try put(part, level)
      for _ in 0..<additions[part] {
        level -= 1
        try add(level)
      }
      level += 1
    }
  }
}

/// A ``SummationOrder`` in memory of its own, as kernels take it.
public final class TreeWalk {
  let additions: UnsafeMutablePointer<Int>
  let partCount: Int

  public init(_ order: SummationOrder) {
    precondition(order.depth <= 64, "a tree of more than 2^63 leaves")
    partCount = order.partCount
    additions = .allocate(capacity: max(partCount, 1))
    for (index, count) in order.additions.enumerated() {
      (additions + index).initialize(to: count)
    }
  }

  deinit { additions.deallocate() }
}

import Matrices

/// Sums of doubles over the global batch: a logical shard at a time, in the tree's order, the same on every rank.
///
/// Every rank adds up the nodes that it owns, receives those of the others, and adds them up to the root.
public final class SumExchange {
  /// What this rank, with or without rows, adds to ``votes``.
  public var vote = 0.0
  /// All ranks' votes, after ``run(_:)``.
  public private(set) var votes = 0.0
  /// `[count]`: after ``run(_:)`` the sums over the global batch.
  public var sums: UnsafeMutablePointer<Double> { stack.place(0) }
  private let count: Int
  private let gather: any Gather
  private let nodes: TreeNodes
  private let stack: DoubleStack

  /// Every rank must call this.
  /// - Parameter count: how many sums.
  /// - Throws: what the collective throws.
  public init(name: String, count: Int, over batch: DistributedBatch) throws {
    self.count = count
    nodes = TreeNodes(batch.shard)
    gather = try batch.collective.makeGather(
      name: name, count: batch.shard.partition.mostNodes * count + 1)
    stack = try DoubleStack(depth: nodes.depth, count: count)
  }

  /// Adds up what `evaluate` writes for each logical shard of this rank: rows, counted from this rank's first, and
  /// where their `count` sums are written. Every rank must call this.
  /// - Throws: what the collective throws.
  public func run(_ evaluate: (Range<Int>, UnsafeMutablePointer<Double>) throws -> Void) throws {
    guard let contribution = gather.contribution.baseAddress else { return }
    for (index, node) in nodes.own.enumerated() {
      try node.order.walk { shard, place in
        try evaluate(node.shards[shard], stack.place(place))
      } add: { place in
        stack.add(at: place)
      }
      (contribution + index * count).update(from: stack.place(0), count: count)
    }
    let perRank = nodes.mostNodes * count + 1
    contribution[perRank - 1] = vote
    try gather.run()
    guard let contributions = gather.contributions.baseAddress else { return }
    nodes.orderOfAll.walk { node, place in
      let (rank, index) = nodes.places[node]
      stack.place(place).update(from: contributions + rank * perRank + index * count, count: count)
    } add: { place in
      stack.add(at: place)
    }
    votes = 0
    for rank in 0..<nodes.rankCount { votes += contributions[(rank + 1) * perRank - 1] }
  }
}

/// Means and sums of squared distances from them over the global batch, of several passes in one message: merged in
/// the tree's order, the same on every rank.
final class MomentExchange {
  private let passes: Int
  private let features: Int
  private let gather: any Gather
  private let nodes: TreeNodes
  /// A stack a pass, of (mean[features], m2[features]).
  private let stacks: [DoubleStack]
  /// Rows behind each place of the stack.
  private let counts: UnsafeMutableBufferPointer<Double>
  private let rowsOfNode: [Int]
  private let rowCount: Int
  private let workspace = Workspace()

  /// Every rank must call this.
  init(name: String, passes: Int, features: Int, over batch: DistributedBatch) throws {
    let partition = batch.shard.partition
    self.passes = passes
    self.features = features
    nodes = TreeNodes(batch.shard)
    rowCount = batch.shard.rowCount
    rowsOfNode = partition.nodesOfRank.joined().map {
      partition.logicalShards[$0].reduce(0) { $0 + $1.count }
    }
    gather = try batch.collective.makeGather(
      name: name, count: partition.mostNodes * passes * 2 * features)
    stacks = try (0..<passes).map { [nodes] _ in
      try DoubleStack(depth: nodes.depth, count: 2 * features)
    }
    counts = try workspace.zeros(count: nodes.depth)
  }

  /// mean[features] and m2[features] of a pass, after ``run(on:)``.
  func ofPass(
    _ pass: Int
  ) -> (mean: UnsafeMutablePointer<Double>, m2: UnsafeMutablePointer<Double>) {
    let moments = stacks[pass].place(0)
    return (moments, moments + features)
  }

  /// - Parameter x: `[passes * rows, features]`.
  func run(on x: Matrix) throws {
    guard let contribution = gather.contribution.baseAddress else { return }
    let count = 2 * features
    for pass in 0..<passes {
      let ofPass = x.rows(pass * rowCount..<(pass + 1) * rowCount)
      let stack = stacks[pass]
      for (index, node) in nodes.own.enumerated() {
        node.order.walk { shard, place in
          let rows = node.shards[shard]
          let moments = stack.place(place)
          VectorMath.columnMoments(of: ofPass.rows(rows), mean: moments, m2: moments + features)
          counts[place] = Double(rows.count)
        } add: { place in
          merge(at: place, of: stack)
        }
        (contribution + (index * passes + pass) * count).update(from: stack.place(0), count: count)
      }
    }
    try gather.run()
    guard let contributions = gather.contributions.baseAddress else { return }
    for pass in 0..<passes {
      let stack = stacks[pass]
      nodes.orderOfAll.walk { node, place in
        let (rank, index) = nodes.places[node]
        let part = (rank * nodes.mostNodes + index) * passes + pass
        stack.place(place).update(from: contributions + part * count, count: count)
        counts[place] = Double(rowsOfNode[node])
      } add: { place in
        merge(at: place, of: stack)
      }
    }
  }

  private func merge(at place: Int, of stack: DoubleStack) {
    let (first, second) = (stack.place(place), stack.place(place + 1))
    VectorMath.mergeMoments(
      counts[place], mean: first, m2: first + features, with: counts[place + 1], mean: second,
      m2: second + features, columns: features)
    counts[place] += counts[place + 1]
  }
}

/// The tree's nodes as a rank sees them.
private struct TreeNodes {
  struct Node {
    /// Rows of each logical shard, counted from this rank's first.
    let shards: [Range<Int>]
    let order: SummationOrder
  }

  let own: [Node]
  /// Of all ranks' nodes: which rank's, and which of its.
  let places: [(rank: Int, index: Int)]
  let rankCount: Int
  let mostNodes: Int
  let orderOfAll: SummationOrder
  /// Places that a stack for all walks needs.
  let depth: Int

  init(_ shard: Shard) {
    let partition = shard.partition
    own = shard.nodes.enumerated().map { index, node in
      Node(shards: Array(shard.logicalShards[node]), order: shard.order(ofNode: index))
    }
    places = partition.nodesOfRank.enumerated().flatMap { rank, nodes in
      nodes.indices.map { (rank, $0) }
    }
    rankCount = partition.rankCount
    mostNodes = partition.mostNodes
    orderOfAll = partition.orderOfNodes
    depth = max(own.map(\.order.depth).max() ?? 0, orderOfAll.depth, 1)
  }
}

/// Places for the sums of a walk through the tree, `[count]` doubles each.
private final class DoubleStack {
  private let count: Int
  private let values: UnsafeMutableBufferPointer<Double>
  private let workspace = Workspace()

  init(depth: Int, count: Int) throws {
    self.count = count
    values = try workspace.zeros(count: depth * count)
  }

  func place(_ place: Int) -> UnsafeMutablePointer<Double> {
    values.baseAddress! + place * count
  }

  /// The sums at a place become those of it and the next.
  func add(at place: Int) {
    let (first, second) = (self.place(place), self.place(place + 1))
    for index in 0..<count { first[index] += second[index] }
  }
}

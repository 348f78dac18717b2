import MPI
import Matrices
import NeuralNetwork

/// An all-reduce by messages, in two movements: every rank adds up its slice of all ranks' parts, in the tree's order, and
/// then all ranks share the finished slices. Each sum is computed once, so all ranks have the same bits.
final class MessageReduction: Reduction {
  let parts: [ParameterArena]
  let sum: ParameterArena
  private let exchange: SliceSum
  private let awaited: AwaitedExchange

  init(
    _ layout: ParameterLayout, over partition: BatchPartition, tag: Int,
    communicator: Communicator, _ awaited: AwaitedExchange
  ) throws {
    let parts = try partition.nodesOfRank[communicator.rank].map { _ in try ParameterArena(layout) }
    // The first part is sent before the sum is written.
    let sum = try parts.first ?? ParameterArena(layout)
    (self.parts, self.sum) = (parts, sum)
    self.awaited = awaited
    exchange = try SliceSum(
      of: parts.map(\.values), nodes: partition.nodesOfRank, tree: partition.tree,
      into: sum.values, owner: Arenas(parts + [sum]), tag: tag, over: communicator)
  }

  func start() throws {
    awaited.enter(.start)
    try exchange.start()
  }

  func finish() throws {
    awaited.enter(.finish)
    try exchange.finish(awaited)
    awaited.allHaveEntered(.finish)
  }
}

/// Keeps arenas for as long as messages may need them.
private final class Arenas {
  private let arenas: [ParameterArena]

  init(_ arenas: [ParameterArena]) { self.arenas = arenas }
}

/// The sum, in the tree's order, of what some ranks hold of its nodes: a slice a rank.
final class SliceSum {
  private let exchange: SliceExchange
  private let walk: TreeWalk
  private let slices: UnsafeMutableBufferPointer<UnsafePointer<Float>>

  /// - Parameters:
  ///   - parts: what this rank holds, a buffer a node.
  ///   - nodes: which nodes each rank holds; together they are the whole tree.
  static func tagCount(nodes: [[Range<Int>]]) -> Int {
    SliceExchange.tagCount(partCountOfRank: nodes.map(\.count))
  }

  init(
    of parts: [UnsafeMutableBufferPointer<Float>], nodes: [[Range<Int>]], tree: SummationTree,
    into sum: UnsafeMutableBufferPointer<Float>, owner: AnyObject, tag: Int,
    over communicator: Communicator
  ) throws {
    exchange = try SliceExchange(
      of: parts, partCountOfRank: nodes.map(\.count), into: sum, owner: owner, tag: tag,
      over: communicator)
    // Slices come in rank order; the tree wants them in the order of their leaves.
    let ordered = zip(nodes.joined(), exchange.slices).sorted { $0.0.lowerBound < $1.0.lowerBound }
    walk = TreeWalk(tree.order(of: ordered.map(\.0)))
    slices = .allocate(capacity: max(ordered.count, 1))
    _ = slices.initialize(from: ordered.map(\.1))
  }

  deinit { slices.deallocate() }

  func start() throws { try exchange.collecting.start() }

  func finish(_ awaited: AwaitedExchange) throws {
    try awaited.wait(for: exchange.collecting)
    awaited.allHaveEntered(.start)
    if let sum = exchange.ownSlice.baseAddress, let slices = slices.baseAddress {
      VectorMath.sum(slices, order: walk, count: exchange.ownSlice.count, into: sum)
    }
    try exchange.distributing.start()
    try awaited.wait(for: exchange.distributing)
  }
}

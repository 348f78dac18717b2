import Matrices

/// What learning needs of other ranks, and all that it knows of them.
///
/// Exchanges are made once, before training, with a name and memory of their own, and run in every
/// step: nothing is allocated then, and a tool can say by name what a rank waits for. Results have the
/// same bits on every rank.
public protocol Collective: AnyObject {
  /// This process's number among the ranks, from 0.
  var rank: Int { get }
  /// How many ranks there are.
  var rankCount: Int { get }

  /// Tells that a global training step (from 0) begins; most have no use for it.
  func willBegin(step: Int)

  /// An exchange in which every rank contributes `count` numbers and receives those of all ranks.
  /// Every rank must make the same exchanges in the same order.
  func makeGather(name: String, count: Int) throws -> any Gather

  /// Memory for `byteCount` bytes of what is the same on all ranks; each time that some of it is taken, whole lines
  /// of 64 bytes are.
  /// Every rank must make the same exchanges in the same order.
  func makeReplicas(name: String, byteCount: Int) throws -> any Replicas

  /// A sum of arenas over the nodes of a batch's tree. Every rank must make the same exchanges in the same order.
  func makeReduction(
    name: String, of layout: ParameterLayout, over partition: BatchPartition
  ) throws -> any Reduction
}

extension Collective {
  public func willBegin(step: Int) {}
  public func makeReplicas(name: String, byteCount: Int) -> any Replicas { PrivateReplicas() }
}

/// An all-gather of a fixed number of doubles from every rank.
///
/// Both buffers may be other ones after each ``run()``.
public protocol Gather: AnyObject {
  /// `[count]`: what this rank gives next.
  var contribution: UnsafeMutableBufferPointer<Double> { get }
  /// `[ranks, count]`: what all ranks gave last, in rank order, after ``run()`` and until the next.
  var contributions: UnsafeMutableBufferPointer<Double> { get }
  /// Exchanges the contributions. Every rank must call this.
  func run() throws
}

/// An all-reduce that other work can hide: begun by ``start()``, done after ``finish()``.
public protocol Reduction: AnyObject {
  /// What this rank gives: an arena for each node of the tree that it owns.
  var parts: [ParameterArena] { get }
  /// All ranks' parts, added up in the tree's order, after ``finish()``; it may share its memory with a part of any rank. So
  /// before a rank writes to its parts again, all ranks must have met in another exchange.
  var sum: ParameterArena { get }
  /// Begins the sum; parts and sum must not be touched until ``finish()``. Every rank must call this.
  func start() throws
  /// Waits for the sum: it then is the same on every rank. Every rank must call this.
  func finish() throws
}

/// One rank alone: nothing to exchange.
public final class SoloCollective: Collective {
  public let rank = 0
  public let rankCount = 1

  public init() {}

  public func makeGather(name: String, count: Int) throws -> any Gather {
    try SoloGather(count: count)
  }

  public func makeReduction(
    name: String, of layout: ParameterLayout, over partition: BatchPartition
  ) throws -> any Reduction {
    try SoloReduction(layout, over: partition)
  }
}

private final class SoloGather: Gather {
  let contribution: UnsafeMutableBufferPointer<Double>
  var contributions: UnsafeMutableBufferPointer<Double> { contribution }
  private let workspace = Workspace()

  init(count: Int) throws { contribution = try workspace.zeros(count: count) }

  func run() {}
}

/// A lone rank owns the whole tree: its part is the sum.
private final class SoloReduction: Reduction {
  let parts: [ParameterArena]
  let sum: ParameterArena

  init(_ layout: ParameterLayout, over partition: BatchPartition) throws {
    precondition(partition.rankCount == 1)
    sum = try ParameterArena(layout)
    parts = partition.nodesOfRank[0].map { [sum] _ in sum }
  }

  func start() {}
  func finish() {}
}

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

  /// A sum over ranks of everything in the arena, which the reduction keeps alive.
  /// Every rank must make the same exchanges in the same order.
  func makeReduction(name: String, of arena: ParameterArena) throws -> any Reduction
}

extension Collective {
  public func willBegin(step: Int) {}
}

/// An all-gather of a fixed number of doubles from every rank.
public protocol Gather: AnyObject {
  /// `[count]`: what this rank gives.
  var contribution: UnsafeMutableBufferPointer<Double> { get }
  /// `[ranks, count]`: what all ranks gave, in rank order, after ``run()``.
  var contributions: UnsafeMutableBufferPointer<Double> { get }
  /// Exchanges the contributions. Every rank must call this.
  func run() throws
}

/// An all-reduce in place that other work can hide: begun by ``start()``, done after ``finish()``.
public protocol Reduction: AnyObject {
  /// Begins the sum; the values must not be touched until ``finish()``. Every rank must call this.
  func start() throws
  /// Waits for the sum: the values are then the same on every rank. Every rank must call this.
  func finish() throws
}

/// One rank alone: nothing to exchange.
public final class SoloCollective: Collective {
  public let rank = 0
  public let rankCount = 1

  public init() {}

  public func makeGather(name: String, count: Int) -> any Gather { SoloGather(count: count) }

  public func makeReduction(name: String, of arena: ParameterArena) -> any Reduction {
    SoloReduction()
  }
}

private final class SoloGather: Gather {
  let contribution: UnsafeMutableBufferPointer<Double>
  var contributions: UnsafeMutableBufferPointer<Double> { contribution }

  init(count: Int) {
    contribution = .allocate(capacity: count)
    contribution.initialize(repeating: 0)
  }

  deinit { contribution.deallocate() }

  func run() {}
}

private final class SoloReduction: Reduction {
  func start() {}
  func finish() {}
}

import MPI
import Matrices
import NeuralNetwork

/// Ranks that are MPI processes.
///
/// MPI moves bytes and adds nothing up: MPI_Allreduce does not promise the same bits on every rank, nor
/// for another algorithm. Sums are taken here, in rank order.
public final class MPICollective: Collective {
  private let communicator: Communicator
  private let watch: StallWatch?
  private var exchangeCount = 0

  /// - Parameter watch: notices exchanges that hang; without one they are waited for as long as they take.
  public init(_ communicator: Communicator, watch: StallWatch? = nil) {
    self.communicator = communicator
    self.watch = watch
  }

  public var rank: Int { communicator.rank }
  public var rankCount: Int { communicator.rankCount }

  public func willBegin(step: Int) { watch?.step = step }

  public func makeGather(name: String, count: Int) throws -> any Gather {
    let exchange = try GatherExchange<Double>(count: count, tag: nextTag(), over: communicator)
    return MPIGather(exchange, AwaitedExchange(watch, name: name))
  }

  public func makeReduction(name: String, of arena: ParameterArena) throws -> any Reduction {
    // Nothing to add up, so nothing to copy.
    if communicator.rankCount == 1 { return SoloCollective().makeReduction(name: name, of: arena) }
    let exchange = try SliceExchange(
      of: arena.everything, owner: arena, tag: nextTag(), over: communicator)
    return RankOrderReduction(
      exchange, AwaitedExchange(watch, name: name), rankCount: communicator.rankCount)
  }

  /// Two tags an exchange: all ranks make the same exchanges in the same order.
  private func nextTag() -> Int {
    defer { exchangeCount += 1 }
    return 2 * exchangeCount
  }
}

/// An all-gather into memory of its own.
private final class MPIGather: Gather {
  var contribution: UnsafeMutableBufferPointer<Double> { exchange.contribution }
  var contributions: UnsafeMutableBufferPointer<Double> { exchange.contributions }
  private let exchange: GatherExchange<Double>
  private let awaited: AwaitedExchange

  init(_ exchange: GatherExchange<Double>, _ awaited: AwaitedExchange) {
    self.exchange = exchange
    self.awaited = awaited
  }

  func run() throws {
    awaited.enter(.gather)
    try exchange.messages.start()
    try awaited.wait(for: exchange.messages)
    awaited.allHaveEntered(.gather)
  }
}

/// An all-reduce in two movements: every rank adds up its slice of all ranks' values, in rank order, and then
/// all ranks share the finished slices. Each sum is computed once, so all ranks have the same bits.
private final class RankOrderReduction: Reduction {
  private let exchange: SliceExchange
  private let awaited: AwaitedExchange
  private let rankCount: Int

  init(_ exchange: SliceExchange, _ awaited: AwaitedExchange, rankCount: Int) {
    self.exchange = exchange
    self.awaited = awaited
    self.rankCount = rankCount
  }

  func start() throws {
    awaited.enter(.start)
    try exchange.startCollecting()
  }

  func finish() throws {
    awaited.enter(.finish)
    try awaited.wait(for: exchange.collecting)
    awaited.allHaveEntered(.start)
    if let slices = exchange.slices.baseAddress {
      VectorMath.sumInOrder(
        slices, sliceCount: rankCount, stride: exchange.ownSlice.count, into: exchange.ownSlice)
    }
    try exchange.distributing.start()
    try awaited.wait(for: exchange.distributing)
    awaited.allHaveEntered(.finish)
  }
}

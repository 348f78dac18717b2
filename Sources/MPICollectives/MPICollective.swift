import MPI
import Matrices
import NeuralNetwork

/// Ranks that are MPI processes.
///
/// MPI moves bytes and adds nothing up: MPI_Allreduce does not promise the same bits on every rank, nor
/// for another algorithm. Sums are taken here, in rank order.
public final class MPICollective: Collective {
  private let communicator: Communicator

  public init(_ communicator: Communicator) { self.communicator = communicator }

  public var rank: Int { communicator.rank }
  public var rankCount: Int { communicator.rankCount }

  public func makeGather(name: String, count: Int) throws -> any Gather {
    MPIGather(communicator, count: count)
  }

  public func makeReduction(
    name: String, of values: UnsafeMutableBufferPointer<Float>
  ) throws -> any Reduction {
    communicator.rankCount == 1
      ? SoloCollective().makeReduction(name: name, of: values)
      : try RankOrderReduction(communicator, values)
  }
}

/// An all-gather into memory of its own.
private final class MPIGather: Gather {
  let contribution: UnsafeMutableBufferPointer<Double>
  let contributions: UnsafeMutableBufferPointer<Double>
  private let communicator: Communicator
  private let workspace = Workspace()

  init(_ communicator: Communicator, count: Int) {
    self.communicator = communicator
    contribution = workspace.zeros(count: count)
    contributions = workspace.zeros(count: communicator.rankCount * count)
  }

  func run() throws {
    try communicator.allGather(UnsafeBufferPointer(contribution), into: contributions)
  }
}

/// An all-reduce in two movements: every rank adds up its slice of all ranks' values, in rank order, and then
/// all ranks share the finished slices. Each sum is computed once, so all ranks have the same bits.
private final class RankOrderReduction: Reduction {
  private let exchange: SliceExchange
  private let ownSlice: UnsafeMutableBufferPointer<Float>
  private let rankCount: Int

  init(_ communicator: Communicator, _ values: UnsafeMutableBufferPointer<Float>) throws {
    exchange = try SliceExchange(of: values, over: communicator)
    ownSlice = UnsafeMutableBufferPointer(
      rebasing: values[exchange.partition.range(ofRank: communicator.rank)])
    rankCount = communicator.rankCount
  }

  func start() throws {
    try exchange.startCollecting()
  }

  func finish() throws {
    try exchange.finishCollecting()
    if let slices = exchange.slices.baseAddress {
      VectorMath.sumInOrder(
        slices, sliceCount: rankCount, stride: ownSlice.count, into: ownSlice)
    }
    try exchange.distribute()
  }
}

import Collectives
import Matrices

/// What a rank does in a step: phases, and between them exchanges in which ranks wait for each other.
///
/// In a phase every worker writes what is its own and reads what was written before the last exchange.
public final class Program {
  /// A phase and what ends it.
  public final class Stage {
    private let phase: Phase
    private let exchange: (any Exchange)?

    fileprivate init(_ lists: [InstructionList], _ exchange: (any Exchange)?) {
      phase = Phase(lists)
      self.exchange = exchange
    }

    /// Does the phase on all threads, then waits for the other ranks. Every rank must call this.
    /// - Parameters:
    ///   - step: global training step, from 0.
    ///   - vote: is asked for between the two.
    /// - Returns: whether all ranks of this host voted true.
    /// - Throws: what the exchange throws.
    public func run(step: Int = 0, vote: () -> Bool = { true }) throws -> Bool {
      phase.run(step: step)
      return try exchange?.run(vote: vote()) ?? vote()
    }
  }

  public let batch: DistributedBatch
  private var lists: [InstructionList]
  private var stages: [Stage] = []

  /// An empty program.
  public init(_ batch: DistributedBatch) {
    self.batch = batch
    lists = Self.newLists(batch)
  }

  private static func newLists(_ batch: DistributedBatch) -> [InstructionList] {
    batch.placement.rowsOfThreads.indices.map { InstructionList(thread: $0) }
  }

  /// Adds to what each worker of this rank does next.
  /// - Parameter add: is given the worker's rows of a pass, and its list.
  public func everyWorker(_ add: (Range<Int>, InstructionList) throws -> Void) rethrows {
    for (rows, list) in zip(batch.placement.rowsOfThreads, lists) { try add(rows, list) }
  }

  /// Ends the phase with an exchange. Every rank must call this.
  /// - Parameters:
  ///   - name: of the exchange.
  ///   - rows: what travels between hosts.
  /// - Throws: what the collective throws.
  public func meet(_ name: String, _ rows: [TravellingRows] = []) throws {
    end(try batch.collective.makeExchange(name: name, of: rows))
  }

  private func end(_ exchange: (any Exchange)?) {
    stages.append(Stage(lists, exchange))
    lists = Self.newLists(batch)
  }

  /// All stages so far; what was added since the last exchange is the last one, if anything was.
  public func finish() -> [Stage] {
    if lists.contains(where: { !$0.isEmpty }) { end(nil) }
    return stages
  }
}

import Collectives
import Matrices

/// What a rank does in a step: phases, and between them exchanges in which ranks wait for each other.
///
/// In a phase every worker writes what is its own and reads what was written before the last exchange.
public final class Program {
  /// A phase and what ends it.
  public final class Stage {
    private let phase: Phase
    private let departures: [Movement]
    private let exchange: (any Exchange)?
    private let looker: Looker?

    fileprivate init(
      _ lists: [InstructionList], _ departures: [Movement], _ exchange: (any Exchange)?,
      _ looker: Looker?
    ) {
      phase = Phase(lists)
      (self.departures, self.exchange, self.looker) = (departures, exchange, looker)
    }

    /// Does the phase on all threads, begins what departs, then waits for the other ranks. Every rank must call this.
    /// - Parameters:
    ///   - step: global training step, from 0.
    ///   - vote: is asked for between the two.
    /// - Returns: whether all ranks of this host voted true.
    /// - Throws: what the exchange throws.
    public func run(step: Int = 0, vote: () -> Bool = { true }) throws -> Bool {
      phase.run(step: step)
      try looker?.demandSuccess()
      for movement in departures { try movement.start() }
      return try exchange?.run(vote: vote()) ?? vote()
    }
  }

  public let batch: DistributedBatch
  private var lists: [InstructionList]
  private var stages: [Stage] = []
  /// What departs when the phase is done.
  private var departures: [Movement] = []
  /// What is under way at this place of the program, and whose gradient it is for.
  private var underWay: [(movement: Movement, layer: Linear?)] = []
  /// Where there are several hosts.
  private let looker: Looker?

  /// An empty program.
  public init(_ batch: DistributedBatch) {
    self.batch = batch
    lists = Self.newLists(batch)
    looker =
      batch.collective.topology.hostCount > 1 ? Looker(batch.collective.traffic) : nil
  }

  private static func newLists(_ batch: DistributedBatch) -> [InstructionList] {
    batch.placement.rowsOfThreads.indices.map { InstructionList(thread: $0) }
  }

  /// Adds to what each worker of this rank does next.
  /// - Parameter add: is given the worker's rows of a pass, and its list.
  public func everyWorker(_ add: (Range<Int>, InstructionList) throws -> Void) rethrows {
    for (rows, list) in zip(batch.placement.rowsOfThreads, lists) {
      try add(rows, list)
      look(in: list)
    }
  }

  /// Lets messages move between what the worker does before and after. MPI is the main thread's.
  public func look(in list: InstructionList) {
    if list.thread == 0 { looker?.plan(in: list) }
  }

  /// Rows that depart for other hosts as soon as this rank has written its own. Every rank must call this.
  /// - Parameter layer: whose weight gradient is taken from them.
  /// - Throws: what the collective throws.
  public func depart(_ rows: [TravellingRows], for layer: Linear) throws {
    // Where a batch's leaves lie on one host each, no rows travel.
    guard rows.contains(where: { $0.travel(batch.collective.topology) }) else { return }
    begin(try batch.collective.makeMovement(ofRows: rows), for: layer)
  }

  /// Ends the phase, and begins a movement.
  public func begin(_ movement: Movement, for layer: Linear? = nil) {
    departures.append(movement)
    underWay.append((movement, layer))
    end(nil)
  }

  /// The rows under way for the weight gradient of the last of some layers: the first that ``update(_:by:_:name:)``
  /// takes.
  public func rows(forLastOf layers: [Linear]) -> [Movement] { layers.last.map(rows) ?? [] }

  private func rows(for layer: Linear) -> [Movement] {
    underWay.filter { $0.layer === layer }.map(\.movement)
  }

  /// Ends the phase when the rows for a layer's weight gradient have arrived, if any are under way. Every rank must
  /// call this.
  /// - Parameter name: of the exchange.
  /// - Throws: what the collective throws.
  func awaitRows(for layer: Linear, _ name: String) throws {
    let rows = rows(for: layer)
    if !rows.isEmpty { try meet(name, finishing: rows) }
  }

  /// Ends the phase with an exchange. Every rank must call this.
  /// - Parameters:
  ///   - name: of the exchange.
  ///   - finishing: what has to be finished; nil for all that is under way.
  ///   - inside: what the leaders of hosts exchange.
  /// - Throws: what the collective throws.
  public func meet(
    _ name: String, finishing: [Movement]? = nil, inside: [Movement] = []
  ) throws {
    let finished = finishing ?? underWay.map(\.movement)
    underWay.removeAll { underWay in finished.contains { $0 === underWay.movement } }
    end(try batch.collective.makeExchange(name: name, finishing: finished, inside: inside))
  }

  private func end(_ exchange: (any Exchange)?) {
    stages.append(Stage(lists, departures, exchange, looker))
    lists = Self.newLists(batch)
    departures = []
  }

  /// The stages since this was called last; what was added since the last exchange is the last one, if anything was.
  /// What is under way stays so: the program may go on.
  public func finish() -> [Stage] {
    if lists.contains(where: { !$0.isEmpty }) { end(nil) }
    defer { stages = [] }
    return stages
  }
}

extension [Program.Stage] {
  /// Runs all stages, and votes at the end of the last one. Every rank must call this.
  /// - Parameter step: global training step, from 0.
  /// - Returns: whether all ranks of this host voted true.
  /// - Throws: what the exchanges throw.
  public func run(step: Int = 0, vote: () -> Bool = { true }) throws -> Bool {
    for stage in dropLast() { _ = try stage.run(step: step) }
    return try last?.run(step: step, vote: vote) ?? vote()
  }
}

/// Lets messages move in the middle of a phase. What goes wrong there is told at its end.
final class Looker {
  private let traffic: Traffic
  private var failure: (any Error)?

  init(_ traffic: Traffic) { self.traffic = traffic }

  /// Adds a look to a list of the main thread. The list's program keeps the looker.
  func plan(in list: InstructionList) {
    list.append(.waiting, Unmanaged.passUnretained(self).toOpaque()) { operands, _ in
      let looker = operands.load(as: UnsafeRawPointer.self)
      Unmanaged<Looker>.fromOpaque(looker)._withUnsafeGuaranteedRef { $0.look() }
    }
  }

  private func look() {
    guard failure == nil else { return }
    do { try traffic.look() } catch { failure = error }
  }

  fileprivate func demandSuccess() throws {
    if let failure { throw failure }
  }
}

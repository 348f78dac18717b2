/// What learning needs of other ranks, and all that it knows of them: memory that a host's ranks share, movements of
/// bytes between hosts, and exchanges in which ranks wait for each other.
///
/// All are made once, before training; every rank must make the same ones in the same order. Nothing is allocated when
/// they run, and a tool can say by name what a rank waits for.
public protocol Collective: AnyObject {
  /// Who is where.
  var topology: Topology { get }
  /// What is under way between hosts.
  var traffic: Traffic { get }
  /// What that costs.
  var travelCosts: TravelCosts { get }
  /// Whose collective operations do that.
  var networkCollectives: NetworkCollectives { get }

  /// Tells that a global training step (from 0) begins.
  func willBegin(step: Int)

  /// Zeros on a cache line that all ranks of the host see; they live as long as the collective.
  /// Every rank must call this, those of a host with the same size.
  /// - Throws: `MemoryError`, or what tells that there is no room, on all ranks.
  func makeMemory(byteCount: Int, for purpose: String) throws -> UnsafeMutableRawPointer

  /// Plans messages between hosts. Every rank must call this, with schedules that match.
  /// - Parameters:
  ///   - schedule: of this rank; it may be empty.
  ///   - regions: memory that the schedule's pieces are in, which lives as long as the collective.
  ///   - prepare: writes what is to be sent, at each start.
  ///   - add: what the schedule's additions are.
  /// - Throws: what the transport throws.
  func makeMovement(
    _ schedule: Schedule, in regions: [UnsafeMutableRawPointer],
    preparing prepare: @escaping () -> Void, adding add: @escaping Movement.Adder
  ) throws -> Movement

  /// A barrier of the host's ranks, after which movements are finished on all of them. Every rank must call this.
  /// - Parameters:
  ///   - name: what people call it in a trace, a flight record, or when a rank is missing.
  ///   - finished: begun before by whoever wants; finished before the rank arrives.
  ///   - inside: begun by the leader when all ranks of the host have arrived, and finished before any goes on; none if
  ///     there is one host.
  func makeExchange(name: String, finishing finished: [Movement], inside: [Movement]) throws
    -> any Exchange
}

extension Collective {
  public var travelCosts: TravelCosts { .usual }
  public var networkCollectives: NetworkCollectives { .own }
  public var rank: Int { topology.rank }
  public var rankCount: Int { topology.rankCount }
  public func willBegin(step: Int) {}

  /// Up to so many hosts tell everybody their nodes of a sum: an all-gather has no rounds for the others.
  public var mostHostsOfDirectExchange: Int {
    networkCollectives == .own ? NodeSchedule.mostHostsOfDirectExchange : .max
  }

  /// A barrier of the host's ranks. Every rank must call this.
  public func makeBarrier(name: String) throws -> any Exchange {
    try makeExchange(name: name, finishing: [], inside: [])
  }

  /// A movement of rows that each rank sends when it has written its own. Every rank must call this.
  public func makeMovement(ofRows rows: [TravellingRows]) throws -> Movement {
    try makeMovement(
      .rowsOfRanks(rows, topology), in: rows.map(\.address), preparing: {},
      adding: { _, _, _ in })
  }

  /// Numbers that all ranks of the host see: zeros. Every rank must call this.
  public func makeNumbers<Number: Numeric & BitwiseCopyable>(
    of type: Number.Type = Number.self, count: Int, for purpose: String
  ) throws -> UnsafeMutableBufferPointer<Number> {
    let memory = try makeMemory(
      byteCount: max(count, 1) * MemoryLayout<Number>.stride, for: purpose)
    return UnsafeMutableBufferPointer(
      start: memory.bindMemory(to: type, capacity: max(count, 1)), count: count)
  }
}

/// A barrier, planned once: what a rank wrote to shared memory before it, all ranks of its host may read after it.
public protocol Exchange: AnyObject {
  /// Arrives, and waits for the others. Every rank must call this.
  /// - Parameter vote: this rank's.
  /// - Returns: whether all ranks of this host voted true.
  /// - Throws: what tells that a rank or a connection failed.
  func run(vote: Bool) throws -> Bool
}

extension Exchange {
  /// The same without a vote.
  public func run() throws { _ = try run(vote: true) }
}

import Collectives
import MPI
import Waiting

/// Ranks that are MPI processes: those of one host share memory, and the leaders of hosts exchange messages.
///
/// MPI moves bytes and adds nothing up: MPI_Allreduce does not promise the same bits on every rank, nor for another
/// algorithm.
public final class MPICollective: Collective {
  public let topology: Topology
  /// Why ranks do not share memory that could; on all ranks alike.
  public let warnings: [String]
  private let hosts: Hosts
  private let log: ExchangeLog
  private let memory: HostMemory
  private var nextTag = 0

  /// Every rank must call this.
  /// - Parameters:
  ///   - threadsOfRank: of all ranks.
  ///   - processorsOfRank: each rank's share of its host's processors; nil if there are enough for all threads.
  ///   - sharedByteCount: how much memory will be asked for, more or less.
  ///   - mayShareMemory: whether ranks of a host share memory; if not, each rank is a host of its own.
  /// - Throws: `MPIError`; `MemoryError`.
  public init(
    _ allHosts: Hosts, threadsOfRank: [Int], processorsOfRank: [Double]? = nil,
    log: ExchangeLog = ExchangeLog(),
    sharedByteCount: Int = 1 << 20, mayShareMemory: Bool = true
  ) throws {
    var hosts = mayShareMemory ? allHosts : try allHosts.takingApart(true)
    var problem = ""
    var memory: HostMemory?
    do {
      memory = try HostMemory(byteCount: sharedByteCount, of: hosts)
    } catch let error as SharedMemoryError {
      problem = "each of \(hosts.own.rankCount) ranks keeps weights and batches by itself: \(error)"
    }
    let problems = try hosts.world.allGather(hosts.own.rank == 0 ? problem : "")
    warnings = problems.filter { !$0.isEmpty }
    if !warnings.isEmpty {
      hosts = try hosts.takingApart(memory == nil)
    }
    self.hosts = hosts
    self.memory = try memory ?? HostMemory(byteCount: 0, of: hosts)
    self.log = log
    topology = hosts.topology(
      threadsOfRank: threadsOfRank, processorsOfRank: processorsOfRank)
  }

  public func willBegin(step: Int) { log.begin(step: step) }

  public func makeMemory(byteCount: Int, for purpose: String) throws -> UnsafeMutableRawPointer {
    try memory.take(byteCount: byteCount, for: purpose)
  }

  public func makeExchange(name: String, of rows: [TravellingRows]) throws -> any Exchange {
    let ranks = hosts.own.rankCount
    func barrier(_ expected: Range<Int>) throws -> HostBarrier {
      HostBarrier(
        at: try memory.take(byteCount: HostBarrier.byteCount(rankCount: ranks), for: "a barrier"),
        rank: hosts.own.rank, expected: expected)
    }
    let travels = topology.hostCount > 1 && !rows.isEmpty
    let firstTag = nextTag
    nextTag += rows.count
    let schedule = RowSchedule(
      travels && topology.isLeader ? rows.map { ($0.bytesOfRow, $0.rowsOfHosts) } : [],
      host: topology.host, hostCount: topology.hostCount, firstTag: firstTag)
    func message(_ transfer: RowSchedule.Transfer, with host: Int) -> Message {
      Message(
        rank: host,
        bytes: UnsafeMutableRawBufferPointer(
          start: rows[transfer.matrix].address + transfer.bytes.lowerBound,
          count: transfer.bytes.count), tag: transfer.tag)
    }
    return MPIExchange(
      log, log.register(name, byteCount: schedule.sentByteCount), arrival: try barrier(0..<ranks),
      departure: travels ? try barrier(0..<1) : nil,
      messages: travels
        ? try hosts.leaders.map {
          try PlannedExchange(
            sending: schedule.sent.map { message($0, with: $0.to) },
            receiving: schedule.received.map { message($0, with: $0.from) }, owner: memory,
            over: $0)
        } : nil, isAlone: ranks == 1, isOfAllRanks: travels || topology.hostCount == 1)
  }
}

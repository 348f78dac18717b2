import Collectives
import MPI
import Waiting

/// Ranks that are MPI processes: those of one host share memory, and exchange messages with those of others.
///
/// With collectives of its own MPI moves bytes and adds nothing up: MPI_Allreduce does not promise the same bits on
/// every rank, nor for another algorithm.
public final class MPICollective: Collective {
  public let topology: Topology
  /// Why ranks do not share memory that could; on all ranks alike.
  public let warnings: [String]
  private let hosts: Hosts
  private let log: ExchangeLog
  private let memory: HostMemory
  public let traffic: Traffic
  public let travelCosts: TravelCosts
  public let networkCollectives: NetworkCollectives
  /// One rank of each host, in the order of hosts; with MPI's collectives only. Those of lane 0 lead.
  private let lane: Communicator?
  private var nextTag = Communicator.firstConnectionTag + 1
  /// Ranks of other hosts that there is a connection to.
  private var connected: Set<Int> = []

  /// Every rank must call this.
  /// - Parameters:
  ///   - threadsOfRank: of all ranks.
  ///   - processorsOfRank: each rank's share of its host's processors; nil if there are enough for all threads.
  ///   - networkCollectives: whose operations are used between hosts.
  ///   - sharedByteCount: how much memory will be asked for, more or less.
  ///   - mayShareMemory: whether ranks of a host share memory; if not, each rank is a host of its own.
  /// - Throws: `MPIError`; `MemoryError`.
  public init(
    _ allHosts: Hosts, threadsOfRank: [Int], processorsOfRank: [Double]? = nil,
    travelCosts: TravelCosts = .usual, networkCollectives: NetworkCollectives = .own,
    log: ExchangeLog = ExchangeLog(), sharedByteCount: Int = 1 << 20, mayShareMemory: Bool = true
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
    let world = hosts.world
    traffic = Traffic { try world.makeProgress() }
    self.memory = try memory ?? HostMemory(byteCount: 0, of: hosts)
    self.log = log
    self.travelCosts = travelCosts
    let topology = hosts.topology(
      threadsOfRank: threadsOfRank, processorsOfRank: processorsOfRank)
    self.topology = topology
    self.networkCollectives = networkCollectives
    lane =
      networkCollectives == .mpi && topology.hostCount > 1
      ? try hosts.lane(of: topology) : nil
  }

  public func willBegin(step: Int) { log.begin(step: step) }

  public func makeMemory(byteCount: Int, for purpose: String) throws -> UnsafeMutableRawPointer {
    try memory.take(byteCount: byteCount, for: purpose)
  }

  public func makeMovement(
    _ schedule: Schedule, in regions: [UnsafeMutableRawPointer],
    preparing prepare: @escaping () -> Void, adding add: @escaping Movement.Adder
  ) throws -> Movement {
    if networkCollectives == .mpi, let operation = schedule.operation, let lane {
      let messages: PlannedCollective
      let sentByteCount: Int
      switch operation {
      case .sum(let piece):
        sentByteCount = piece.bytes.count
        messages = try .sum(
          of: UnsafeMutableBufferPointer(
            start: (regions[piece.region] + piece.bytes.lowerBound)
              .assumingMemoryBound(to: Float.self),
            count: piece.bytes.count / MemoryLayout<Float>.stride), owner: memory, over: lane)
      case .gather(let bytesOfHosts):
        sentByteCount = bytesOfHosts[topology.host].count
        messages = try .gather(
          in: regions[0], bytesOfRanks: bytesOfHosts, owner: memory, over: lane)
      }
      let movement = Movement(messages, sentByteCount: sentByteCount, preparing: prepare)
      traffic.add(movement)
      return movement
    }
    let (tag, connectionTag) = (nextTag, nextTag + 1)
    nextTag += 2
    let strangers = schedule.peers.subtracting(connected)
    if !strangers.isEmpty { try hosts.world.connect(to: strangers, tag: connectionTag) }
    connected.formUnion(strangers)
    func messages(_ messages: [Schedule.Message]) -> [Message] {
      messages.map { message in
        Message(
          rank: message.rank,
          pieces: message.pieces.map {
            UnsafeMutableRawBufferPointer(
              start: regions[$0.region] + $0.bytes.lowerBound, count: $0.bytes.count)
          })
      }
    }
    let movement = try Movement(
      schedule, in: regions,
      plan: {
        try PlannedExchange(
          sending: messages($0.sent), receiving: messages($0.received), tag: tag, owner: memory,
          over: hosts.world)
      }, preparing: prepare, adding: add)
    if !schedule.isEmpty { traffic.add(movement) }
    return movement
  }

  public func makeExchange(
    name: String, finishing finished: [Movement], inside: [Movement]
  ) throws -> any Exchange {
    let ranks = hosts.own.rankCount
    func barrier(_ expected: Range<Int>) throws -> HostBarrier {
      HostBarrier(
        at: try memory.take(byteCount: HostBarrier.byteCount(rankCount: ranks), for: "a barrier"),
        rank: hosts.own.rank, expected: expected)
    }
    let hasInside = topology.hostCount > 1 && !inside.isEmpty
    return MPIExchange(
      log,
      log.register(name, byteCount: (finished + inside).reduce(0) { $0 + $1.sentByteCount }),
      traffic: traffic, finished: finished, arrival: try barrier(0..<ranks),
      departure: hasInside ? try barrier(0..<1) : nil,
      inside: hasInside && topology.isLeader ? inside : [], isAlone: ranks == 1,
      isOfAllRanks: hasInside || topology.hostCount == 1)
  }
}

extension PlannedExchange: PlannedMessages {}

extension PlannedCollective: PlannedMessages {}

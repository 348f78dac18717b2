import Collectives
import Foundation
import Waiting

/// Ranks that are threads of one process, so that what ranks do together can be tested without MPI, and seen by the
/// thread sanitizer. They wait for each other as processes do; hosts have memory of their own.
public final class ThreadTeam: @unchecked Sendable {
  private let hosts: [[Int]]
  private let threads: Int
  private let lock = NSLock()
  /// Of each host, in the order in which its ranks ask for it.
  private var memory: [[UnsafeMutableRawPointer]]
  /// Messages that were sent and have not arrived.
  private var messages: [Address: [[UInt8]]] = [:]
  private let rankCount: Int
  /// Of each exchange: two barriers of all ranks, or one of each host's.
  private var barriers: [UnsafeMutableRawPointer] = []

  private init(hosts: [[Int]], threads: Int) {
    (self.hosts, self.threads) = (hosts, threads)
    rankCount = hosts.reduce(0) { $0 + $1.count }
    memory = hosts.map { _ in [] }
  }

  deinit {
    for pointer in memory.joined() + barriers { pointer.deallocate() }
  }

  /// Runs `body` once a rank, each on a thread of its own, and returns what they return, in rank order.
  public static func run<Result>(
    rankCount: Int, threads: Int = 1,
    _ body: @escaping @Sendable (any Collective) throws -> Result
  ) -> [Result] {
    run(hosts: [Array(0..<rankCount)], threads: threads, body)
  }

  /// The same with the ranks of several hosts.
  /// - Parameter travelCosts: of messages between them, by which rows or sums travel.
  public static func run<Result>(
    hosts: [[Int]], threads: Int = 1, travelCosts: TravelCosts = .usual,
    _ body: @escaping @Sendable (any Collective) throws -> Result
  ) -> [Result] {
    let team = ThreadTeam(hosts: hosts, threads: threads)
    let rankCount = team.rankCount
    let results = Results<Result>(count: rankCount)
    let done = DispatchSemaphore(value: 0)
    for rank in 0..<rankCount {
      let thread = Thread {
        do {
          results.set(
            try body(
              ThreadCollective(team: team, rank: rank, travelCosts: travelCosts)), at: rank)
        } catch {
          // The other threads wait for this one at a barrier: there is no way on.
          fatalError("rank \(rank): \(error)")
        }
        done.signal()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    for _ in 0..<rankCount { done.wait() }
    return results.all
  }

  fileprivate func topology(_ rank: Int) -> Topology {
    Topology(
      rank: rank, ranksOfHosts: hosts,
      threadsOfRank: Array(repeating: threads, count: rankCount))
  }

  fileprivate func barrierMemory(exchange: Int) -> UnsafeMutableRawPointer {
    lock.withLock {
      while barriers.count <= exchange {
        let byteCount = 2 * HostBarrier.byteCount(rankCount: rankCount)
        let pointer = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        pointer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        barriers.append(pointer)
      }
      return barriers[exchange]
    }
  }

  fileprivate func memory(_ number: Int, byteCount: Int, host: Int) -> UnsafeMutableRawPointer {
    lock.withLock {
      if memory[host].count == number {
        let pointer = UnsafeMutableRawPointer.allocate(
          byteCount: max(byteCount, 1), alignment: 64)
        pointer.initializeMemory(as: UInt8.self, repeating: 0, count: max(byteCount, 1))
        memory[host].append(pointer)
      }
      return memory[host][number]
    }
  }

  /// Who sends what to whom.
  fileprivate struct Address: Hashable {
    let from, to, tag: Int
  }

  fileprivate func send(_ bytes: [UInt8], _ address: Address) {
    lock.withLock { messages[address, default: []].append(bytes) }
  }

  fileprivate func receive(_ address: Address) -> [UInt8]? {
    lock.withLock {
      guard let first = messages[address]?.first else { return nil }
      messages[address]?.removeFirst()
      return first
    }
  }

  private final class Results<Result>: @unchecked Sendable {
    private let lock = NSLock()
    private var values: [Result?]
    init(count: Int) { values = Array(repeating: nil, count: count) }
    func set(_ value: Result, at index: Int) { lock.withLock { values[index] = value } }
    var all: [Result] { lock.withLock { values.map { $0! } } }
  }
}

private final class ThreadCollective: Collective {
  let topology: Topology
  let traffic = Traffic()
  let travelCosts: TravelCosts
  private let team: ThreadTeam
  private var (memories, exchanges, movements) = (0, 0, 0)

  init(team: ThreadTeam, rank: Int, travelCosts: TravelCosts) {
    (self.team, self.travelCosts) = (team, travelCosts)
    topology = team.topology(rank)
  }

  func makeMemory(byteCount: Int, for purpose: String) -> UnsafeMutableRawPointer {
    defer { memories += 1 }
    return team.memory(memories, byteCount: byteCount, host: topology.host)
  }

  func makeMovement(
    _ schedule: Schedule, in regions: [UnsafeMutableRawPointer],
    preparing prepare: @escaping () -> Void, adding add: @escaping Movement.Adder
  ) -> Movement {
    let tag = movements
    movements += 1
    let movement = Movement(
      schedule, in: regions,
      plan: { ThreadMessages($0, regions, tag: tag, rank: topology.rank, team) },
      preparing: prepare, adding: add)
    traffic.add(movement)
    return movement
  }

  func makeExchange(
    name: String, finishing finished: [Movement], inside: [Movement]
  ) -> any Exchange {
    defer { exchanges += 1 }
    return ThreadExchange(
      team: team, number: exchanges, topology: topology, traffic: traffic, finished: finished,
      inside: inside)
  }
}

/// The messages of a round: copies, which wait until they are fetched.
private final class ThreadMessages: PlannedMessages {
  private let round: Schedule.Round
  private let regions: [UnsafeMutableRawPointer]
  private let tag, rank: Int
  private let team: ThreadTeam
  private var awaited: [Schedule.Message] = []

  init(
    _ round: Schedule.Round, _ regions: [UnsafeMutableRawPointer], tag: Int, rank: Int,
    _ team: ThreadTeam
  ) {
    (self.round, self.regions, self.tag, self.rank, self.team) = (round, regions, tag, rank, team)
  }

  private func bytes(_ piece: Schedule.Piece) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(
      start: regions[piece.region] + piece.bytes.lowerBound, count: piece.bytes.count)
  }

  func start() {
    for message in round.sent {
      team.send(
        message.pieces.flatMap { Array(bytes($0)) },
        ThreadTeam.Address(from: rank, to: message.rank, tag: tag))
    }
    awaited = round.received
  }

  func isComplete() -> Bool {
    awaited.removeAll { message in
      guard
        let arrived = team.receive(ThreadTeam.Address(from: message.rank, to: rank, tag: tag))
      else { return false }
      precondition(arrived.count == message.byteCount, "a message of another size")
      var place = 0
      for piece in message.pieces {
        bytes(piece).copyBytes(from: arrived[place..<place + piece.bytes.count])
        place += piece.bytes.count
      }
      return true
    }
    return awaited.isEmpty
  }
}

private final class ThreadExchange: Exchange {
  private let topology: Topology
  private let finished, inside: [MovementToFinish]
  private let arrival: AttentiveBarrier
  /// If hosts exchange something.
  private let departure: AttentiveBarrier?

  init(
    team: ThreadTeam, number: Int, topology: Topology, traffic: Traffic, finished: [Movement],
    inside: [Movement]
  ) {
    self.topology = topology
    self.finished = finished.map { MovementToFinish($0, traffic) }
    self.inside = inside.map { MovementToFinish($0, traffic) }
    let memory = team.barrierMemory(exchange: number)
    let own = topology.places(ofHost: topology.host)
    func barrier(_ offset: Int, _ expected: Range<Int>) -> AttentiveBarrier {
      AttentiveBarrier(
        HostBarrier(at: memory + offset, rank: topology.place, expected: expected), traffic)
    }
    arrival = barrier(0, own)
    let hasInside = topology.hostCount > 1 && !inside.isEmpty
    departure =
      hasInside
      ? barrier(
        HostBarrier.byteCount(rankCount: topology.rankCount), own.lowerBound..<own.lowerBound + 1)
      : nil
  }

  func run(vote: Bool) throws -> Bool {
    for movement in finished { try movement.wait() }
    arrival.barrier.arrive(vote: vote)
    if let departure {
      if topology.isLeader {
        try arrival.wait()
        for movement in inside { try movement.movement.start() }
        for movement in inside { try movement.wait() }
        departure.barrier.arrive()
      } else {
        departure.barrier.arrive()
        try departure.wait()
      }
    } else {
      try arrival.wait()
    }
    return arrival.barrier.isUnanimous
  }
}

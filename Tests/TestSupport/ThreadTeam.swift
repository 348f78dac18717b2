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
  /// What travels in each exchange, as each host has it.
  private var rows: [[[TravellingRows]?]] = []
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
  public static func run<Result>(
    hosts: [[Int]], threads: Int = 1,
    _ body: @escaping @Sendable (any Collective) throws -> Result
  ) -> [Result] {
    let team = ThreadTeam(hosts: hosts, threads: threads)
    let rankCount = team.rankCount
    let results = Results<Result>(count: rankCount)
    let done = DispatchSemaphore(value: 0)
    for rank in 0..<rankCount {
      let thread = Thread {
        do {
          results.set(try body(ThreadCollective(team: team, rank: rank)), at: rank)
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

  fileprivate func register(_ rows: [TravellingRows], exchange: Int, host: Int) {
    lock.withLock {
      while self.rows.count <= exchange {
        self.rows.append(Array(repeating: nil, count: hosts.count))
      }
      self.rows[exchange][host] = rows
    }
  }

  /// Copies the rows of other hosts into this one's memory.
  fileprivate func bring(_ exchange: Int, to host: Int) {
    let all = lock.withLock { rows[exchange].map { $0! } }
    for other in hosts.indices where other != host {
      for (target, source) in zip(all[host], all[other]) {
        let range = source.rowsOfHosts[other]
        let offset = range.lowerBound * source.bytesOfRow
        (target.address + offset).copyMemory(
          from: source.address + offset, byteCount: range.count * source.bytesOfRow)
      }
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
  private let team: ThreadTeam
  private var (memories, exchanges) = (0, 0)

  init(team: ThreadTeam, rank: Int) {
    self.team = team
    topology = team.topology(rank)
  }

  func makeMemory(byteCount: Int, for purpose: String) -> UnsafeMutableRawPointer {
    defer { memories += 1 }
    return team.memory(memories, byteCount: byteCount, host: topology.host)
  }

  func makeExchange(name: String, of rows: [TravellingRows]) -> any Exchange {
    defer { exchanges += 1 }
    team.register(rows, exchange: exchanges, host: topology.host)
    let travels = !rows.isEmpty && topology.hostCount > 1
    return ThreadExchange(team: team, number: exchanges, topology: topology, travels: travels)
  }
}

private final class ThreadExchange: Exchange {
  private let team: ThreadTeam
  private let number: Int
  private let topology: Topology
  private let arrival: HostBarrier
  /// If rows travel.
  private let departure: HostBarrier?

  init(team: ThreadTeam, number: Int, topology: Topology, travels: Bool) {
    (self.team, self.number, self.topology) = (team, number, topology)
    let memory = team.barrierMemory(exchange: number)
    let own = topology.places(ofHost: topology.host)
    let expected = travels ? 0..<topology.rankCount : own
    arrival = HostBarrier(at: memory, rank: topology.place, expected: expected)
    departure =
      travels
      ? HostBarrier(
        at: memory + HostBarrier.byteCount(rankCount: topology.rankCount), rank: topology.place,
        expected: expected) : nil
  }

  func run(vote: Bool) throws -> Bool {
    arrival.arrive(vote: vote)
    try arrival.wait()
    let isUnanimous = arrival.isUnanimous
    if let departure {
      if topology.isLeader { team.bring(number, to: topology.host) }
      departure.arrive()
      try departure.wait()
    }
    return isUnanimous
  }
}

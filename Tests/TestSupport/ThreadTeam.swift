import Collectives
import Foundation

/// Ranks that are threads of one process, so that what ranks do together can be tested without MPI, and seen by the thread
/// sanitizer. Hosts have memory of their own.
public final class ThreadTeam: @unchecked Sendable {
  private let hosts: [[Int]]
  private let threads: Int
  private var barrier = pthread_barrier_t()
  private let lock = NSLock()
  /// Of each host, in the order in which its ranks ask for it.
  private var memory: [[UnsafeMutableRawPointer]]
  /// What travels in each exchange, as each host has it.
  private var rows: [[[TravellingRows]?]] = []
  private var votes: [Bool]

  private init(hosts: [[Int]], threads: Int) {
    (self.hosts, self.threads) = (hosts, threads)
    let rankCount = hosts.reduce(0) { $0 + $1.count }
    pthread_barrier_init(&barrier, nil, UInt32(rankCount))
    memory = hosts.map { _ in [] }
    votes = Array(repeating: true, count: rankCount)
  }

  deinit {
    pthread_barrier_destroy(&barrier)
    for pointer in memory.joined() { pointer.deallocate() }
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
    let rankCount = team.votes.count
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
      threadsOfRank: Array(repeating: threads, count: votes.count))
  }

  fileprivate func wait() { pthread_barrier_wait(&barrier) }

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

  fileprivate func run(_ exchange: Int, _ topology: Topology, brings: Bool, vote: Bool) -> Bool {
    lock.withLock { votes[topology.rank] = vote }
    wait()
    if brings && topology.isLeader { bring(exchange, to: topology.host) }
    let result = lock.withLock { hosts[topology.host].allSatisfy { votes[$0] } }
    wait()
    return result
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
    return ThreadExchange(team: team, number: exchanges, topology: topology, brings: !rows.isEmpty)
  }
}

private final class ThreadExchange: Exchange {
  private let team: ThreadTeam
  private let number: Int
  private let topology: Topology
  private let brings: Bool

  init(team: ThreadTeam, number: Int, topology: Topology, brings: Bool) {
    (self.team, self.number, self.topology, self.brings) = (team, number, topology, brings)
  }

  func run(vote: Bool) -> Bool { team.run(number, topology, brings: brings, vote: vote) }
}

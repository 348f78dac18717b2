import Foundation
import NeuralNetwork

/// Ranks that are threads of one process, so that what ranks do together can be tested without MPI.
public final class ThreadTeam: @unchecked Sendable {
  public let rankCount: Int
  private var barrier = pthread_barrier_t()
  private let lock = NSLock()
  /// Addresses that the ranks have registered, by exchange and rank.
  private var doubles: [[UnsafeMutableBufferPointer<Double>?]] = []
  private var floats: [[UnsafeMutableBufferPointer<Float>?]] = []

  public init(rankCount: Int) {
    self.rankCount = rankCount
    pthread_barrier_init(&barrier, nil, UInt32(rankCount))
  }

  deinit { pthread_barrier_destroy(&barrier) }

  /// Runs `body` once a rank, each on a thread of its own, and returns what they return, in rank order.
  public static func run<Result>(
    rankCount: Int, _ body: @escaping @Sendable (any Collective) throws -> Result
  ) -> [Result] {
    let team = ThreadTeam(rankCount: rankCount)
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

  fileprivate func wait() { pthread_barrier_wait(&barrier) }

  fileprivate func register(
    _ buffer: UnsafeMutableBufferPointer<Double>, exchange: Int, rank: Int
  ) {
    lock.withLock {
      while doubles.count <= exchange { doubles.append(Array(repeating: nil, count: rankCount)) }
      doubles[exchange][rank] = buffer
    }
  }

  fileprivate func register(
    _ buffer: UnsafeMutableBufferPointer<Float>, exchange: Int, rank: Int
  ) {
    lock.withLock {
      while floats.count <= exchange { floats.append(Array(repeating: nil, count: rankCount)) }
      floats[exchange][rank] = buffer
    }
  }

  fileprivate func doubleBuffers(_ exchange: Int) -> [UnsafeMutableBufferPointer<Double>] {
    lock.withLock { doubles[exchange].map { $0! } }
  }

  fileprivate func floatBuffers(_ exchange: Int) -> [UnsafeMutableBufferPointer<Float>] {
    lock.withLock { floats[exchange].map { $0! } }
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
  let rank: Int
  var rankCount: Int { team.rankCount }
  private let team: ThreadTeam
  private var gathers = 0
  private var reductions = 0

  init(team: ThreadTeam, rank: Int) {
    self.team = team
    self.rank = rank
  }

  func makeGather(name: String, count: Int) -> any Gather {
    defer { gathers += 1 }
    return ThreadGather(team, rank: rank, exchange: gathers, count: count)
  }

  func makeReduction(name: String, of arena: ParameterArena) -> any Reduction {
    defer { reductions += 1 }
    return ThreadReduction(team, rank: rank, exchange: reductions, arena.everything)
  }
}

private final class ThreadGather: Gather {
  let contribution: UnsafeMutableBufferPointer<Double>
  let contributions: UnsafeMutableBufferPointer<Double>
  private let team: ThreadTeam
  private let exchange: Int

  init(_ team: ThreadTeam, rank: Int, exchange: Int, count: Int) {
    self.team = team
    self.exchange = exchange
    contribution = .allocate(capacity: count)
    contributions = .allocate(capacity: count * team.rankCount)
    contribution.initialize(repeating: 0)
    contributions.initialize(repeating: 0)
    team.register(contribution, exchange: exchange, rank: rank)
  }

  deinit {
    contribution.deallocate()
    contributions.deallocate()
  }

  func run() {
    team.wait()
    for (rank, buffer) in team.doubleBuffers(exchange).enumerated() {
      for index in buffer.indices { contributions[rank * buffer.count + index] = buffer[index] }
    }
    team.wait()
  }
}

/// Each rank adds up its slice of all ranks' values, in rank order; then all copy all slices.
private final class ThreadReduction: Reduction {
  private let team: ThreadTeam
  private let rank: Int
  /// Exchanges of the values and of the finished slices.
  private let exchanges: (values: Int, sums: Int)
  private let values: UnsafeMutableBufferPointer<Float>
  private let sums: UnsafeMutableBufferPointer<Float>

  init(
    _ team: ThreadTeam, rank: Int, exchange: Int, _ values: UnsafeMutableBufferPointer<Float>
  ) {
    self.team = team
    self.rank = rank
    exchanges = (2 * exchange, 2 * exchange + 1)
    self.values = values
    sums = .allocate(capacity: max(values.count, 1))
    sums.initialize(repeating: 0)
    team.register(values, exchange: exchanges.values, rank: rank)
    team.register(sums, exchange: exchanges.sums, rank: rank)
  }

  deinit { sums.deallocate() }

  private func slice(ofRank rank: Int) -> Range<Int> {
    rank * values.count / team.rankCount..<(rank + 1) * values.count / team.rankCount
  }

  func start() {}

  func finish() {
    team.wait()
    let slice = slice(ofRank: rank)
    UnsafeMutableBufferPointer(rebasing: sums[slice]).update(repeating: 0)
    for buffer in team.floatBuffers(exchanges.values) {
      for index in slice { sums[index] += buffer[index] }
    }
    team.wait()
    for (rank, finished) in team.floatBuffers(exchanges.sums).enumerated() {
      let slice = self.slice(ofRank: rank)
      _ = UnsafeMutableBufferPointer(rebasing: values[slice])
        .update(fromContentsOf: UnsafeMutableBufferPointer(rebasing: finished[slice]))
    }
    // A rank that goes home takes its slice with it.
    team.wait()
  }
}

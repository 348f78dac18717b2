import Foundation
import Matrices
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

  func makeReduction(
    name: String, of layout: ParameterLayout, over partition: BatchPartition
  ) throws -> any Reduction {
    defer { reductions += 1 }
    return try ThreadReduction(team, rank: rank, exchange: reductions, layout, partition)
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

/// Every rank adds up everybody's parts for itself, all in the tree's order.
private final class ThreadReduction: Reduction {
  let parts: [ParameterArena]
  let sum: ParameterArena
  private let team: ThreadTeam
  private let exchange: Int
  private let order: SummationOrder
  /// Of each node in the tree's order: whose it is, and which of that rank's.
  private let places: [(rank: Int, part: Int)]
  /// This rank's parts, one behind the other: what the others see.
  private let shown: UnsafeMutableBufferPointer<Float>

  init(
    _ team: ThreadTeam, rank: Int, exchange: Int, _ layout: ParameterLayout,
    _ partition: BatchPartition
  ) throws {
    self.team = team
    self.exchange = exchange
    parts = try partition.nodesOfRank[rank].map { _ in try ParameterArena(layout) }
    sum = try ParameterArena(layout)
    order = partition.orderOfNodes
    places = partition.nodesOfRank.enumerated().flatMap { rank, nodes in
      nodes.indices.map { (rank, $0) }
    }
    shown = .allocate(capacity: max(parts.count * layout.extent, 1))
    shown.initialize(repeating: 0)
    team.register(shown, exchange: exchange, rank: rank)
  }

  deinit { shown.deallocate() }

  func start() {}

  func finish() {
    let extent = sum.values.count
    for (index, part) in parts.enumerated() {
      for element in 0..<extent { shown[index * extent + element] = part.values[element] }
    }
    team.wait()
    let buffers = team.floatBuffers(exchange)
    var stack = [Float](repeating: 0, count: max(order.depth, 1))
    for element in 0..<extent {
      order.walk { node, place in
        stack[place] = buffers[places[node].rank][places[node].part * extent + element]
      } add: { place in
        stack[place] += stack[place + 1]
      }
      sum.values[element] = stack[0]
    }
    // A rank that goes home takes its parts with it.
    team.wait()
  }
}

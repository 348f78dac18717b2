import MPI
import Matrices
import NeuralNetwork

/// An all-reduce through memory that the ranks of a host share: each adds up its slice of all the host's parts, straight
/// from where they were written. Several hosts then exchange their sums, one rank a host.
final class SharedReduction: Reduction {
  let parts: [ParameterArena]
  let sum: ParameterArena
  private let awaited: AwaitedExchange
  /// The host's ranks have written their parts; their slices of the host's nodes; the leader has written the sum.
  private let arrival, summing, delivery: HostMeeting
  /// This rank's slice of each node that the host adds up.
  private let nodeSums: [NodeSum]
  /// What leaders do, if there are several hosts.
  private let betweenHosts: SliceSum?
  private let hostCount: Int
  private let isLeader: Bool
  private let window: SharedWindow

  /// Where things lie in the window's segments.
  private struct Plan {
    static let flagByteCount = 3 * HostMeeting.byteCount
    let extent: Int
    let partCounts: [Int]
    /// The nodes that each host adds up.
    let nodesOfHosts: [[Range<Int>]]

    init(_ layout: ParameterLayout, _ partition: BatchPartition, _ teams: HostTeams) {
      extent = layout.extent
      partCounts = teams.ranksOfHosts[teams.ownHost].map { partition.nodesOfRank[$0].count }
      nodesOfHosts = teams.ranksOfHosts.map { ranks in
        // Neighbours' shards make runs; a run's nodes can be added up here.
        var runs: [Range<Int>] = []
        for shards in ranks.map({ partition.logicalShardsOfRank[$0] }) where !shards.isEmpty {
          if let last = runs.last, last.upperBound == shards.lowerBound {
            runs[runs.count - 1] = last.lowerBound..<shards.upperBound
          } else {
            runs.append(shards)
          }
        }
        return runs.flatMap(partition.tree.nodes(of:))
      }
    }

    /// Whether the sum takes the place of the leader's first part: what is added up is in the caches already.
    var sumIsFirstPart: Bool { nodesOfHosts.count == 1 && partCounts[0] > 0 }

    func byteCount(ofRank rank: Int, ownHost: Int) -> Int {
      // The leader's segment also has the sum and the host's nodes, if its own first part is not the place for it.
      let extra = rank == 0 && !sumIsFirstPart ? 1 + nodesOfHosts[ownHost].count : 0
      return Self.flagByteCount
        + (partCounts[rank] + extra) * extent * MemoryLayout<Float>.stride
    }
  }

  /// Bytes that a rank gives to the window.
  static func byteCount(
    _ layout: ParameterLayout, over partition: BatchPartition, teams: HostTeams
  ) -> Int {
    Plan(layout, partition, teams).byteCount(ofRank: teams.host.rank, ownHost: teams.ownHost)
  }

  static func tagCount(
    _ layout: ParameterLayout, over partition: BatchPartition, teams: HostTeams
  ) -> Int {
    SliceSum.tagCount(nodes: Plan(layout, partition, teams).nodesOfHosts)
  }

  init(
    _ layout: ParameterLayout, over partition: BatchPartition, in window: SharedWindow, tag: Int,
    teams: HostTeams, _ awaited: AwaitedExchange
  ) throws {
    let plan = Plan(layout, partition, teams)
    let host = teams.host
    self.window = window
    self.awaited = awaited
    hostCount = teams.hostCount
    isLeader = teams.isLeader
    func meeting(_ index: Int, _ expected: Range<Int>) -> HostMeeting {
      HostMeeting(
        in: window, at: index * HostMeeting.byteCount, rank: host.rank, expected: expected)
    }
    arrival = meeting(0, 0..<host.rankCount)
    summing = meeting(1, 0..<host.rankCount)
    delivery = meeting(2, 0..<1)

    /// Array number `index` in the segment of a rank of the host.
    func array(_ index: Int, ofRank rank: Int) -> UnsafeMutableBufferPointer<Float> {
      let begin = Plan.flagByteCount + index * plan.extent * MemoryLayout<Float>.stride
      return UnsafeMutableRawBufferPointer(
        rebasing: window.segment(ofRank: rank)[
          begin..<begin + plan.extent * MemoryLayout<Float>.stride]
      ).bindMemory(to: Float.self)
    }
    parts = (0..<plan.partCounts[host.rank]).map {
      ParameterArena(layout, in: array($0, ofRank: host.rank), owner: window)
    }
    let sum = array(plan.sumIsFirstPart ? 0 : plan.partCounts[0], ofRank: 0)
    self.sum = ParameterArena(layout, in: sum, owner: window)

    // All parts of the host with their nodes, in the order of their leaves.
    let ranks = teams.ranksOfHosts[teams.ownHost]
    let hostParts = ranks.enumerated().flatMap { local, rank in
      partition.nodesOfRank[rank].enumerated().map { index, node in
        (node: node, values: array(index, ofRank: local))
      }
    }
    let ownNodes = plan.nodesOfHosts[teams.ownHost]
    let targets =
      teams.hostCount == 1
      ? [sum] : ownNodes.indices.map { array(plan.partCounts[0] + 1 + $0, ofRank: 0) }
    let slice = try Partition(count: plan.extent, rankCount: host.rankCount)
      .range(ofRank: host.rank)
    nodeSums = zip(ownNodes, targets).map { node, target in
      let parts = hostParts.filter { node.contains($0.node.lowerBound) }
      return NodeSum(
        parts.map(\.values), order: partition.tree.order(of: parts.map(\.node)), slice: slice,
        into: target)
    }
    betweenHosts =
      if let leaders = teams.leaders, teams.hostCount > 1 {
        try SliceSum(
          of: targets, nodes: plan.nodesOfHosts, tree: partition.tree, into: sum, owner: window,
          tag: tag, over: leaders)
      } else {
        nil
      }
  }

  func start() throws {
    awaited.enter(.start)
    arrival.come()
  }

  func finish() throws {
    awaited.enter(.finish)
    try awaited.wait(for: arrival)
    if hostCount == 1 { awaited.allHaveEntered(.start) }
    for node in nodeSums { node.run() }
    summing.come()
    if hostCount == 1 {
      try awaited.wait(for: summing)
    } else if let betweenHosts {
      try awaited.wait(for: summing)
      try betweenHosts.start()
      try betweenHosts.finish(awaited)
      delivery.come()
    } else {
      delivery.come()
      try awaited.wait(for: delivery)
    }
    awaited.allHaveEntered(.finish)
  }
}

/// A rank's slice of the sum of a node's parts.
private final class NodeSum {
  private let parts: UnsafeMutableBufferPointer<UnsafePointer<Float>>
  private let walk: TreeWalk
  private let target: UnsafeMutableBufferPointer<Float>

  init(
    _ arrays: [UnsafeMutableBufferPointer<Float>], order: SummationOrder, slice: Range<Int>,
    into target: UnsafeMutableBufferPointer<Float>
  ) {
    walk = TreeWalk(order)
    self.target = UnsafeMutableBufferPointer(rebasing: target[slice])
    parts = .allocate(capacity: max(arrays.count, 1))
    _ = parts.initialize(
      from: arrays.map { UnsafePointer($0.baseAddress! + slice.lowerBound) })
  }

  deinit { parts.deallocate() }

  func run() {
    guard let parts = parts.baseAddress, let target = target.baseAddress else { return }
    VectorMath.sum(parts, order: walk, count: self.target.count, into: target)
  }
}

/// How hosts add up large sums, such as a layer's gradient: a reduce-scatter and an all-gather in the tree's order
/// (Thakur, Rabenseifner and Gropp, 2005).
///
/// Each host has the sums of its own nodes, `[nodes, count]`, in region 0, the first of which becomes the sum of all.
/// Region 1 is for what arrives, `[receivedCount]`. Ranks with the same number on their hosts are a lane: each lane has
/// a part of the numbers.
///
/// Where hosts are leaves of a tree like that of the leaves, and a power of two, it is recursive halving and doubling,
/// which *is* the pairwise tree: 2 log₂ H messages. Else everybody sends everybody his slice.
public struct SumSchedule: Equatable, Sendable {
  /// Numbers of region 1, in all lanes.
  public let receivedCount: Int
  /// Nodes of region 0.
  public let nodeCount: Int
  /// Which of the numbers this rank's lane has; none on ranks that are in no lane.
  public let numbersOfLane: Range<Int>
  /// Of this rank; empty on ranks that are in no lane.
  public let schedule: Schedule

  private static let stride = MemoryLayout<Float>.stride

  /// - Parameter count: float32 numbers of a sum.
  public init(_ leaves: LeafPlacement, count: Int, _ topology: Topology) {
    nodeCount = max(leaves.nodes(ofHost: topology.host).count, 1)
    let lanes = topology.laneCount
    let lane = topology.rankOnHost
    let numbers = lane < lanes ? BatchPlacement.share(lane, of: count, over: lanes) : 0..<0
    numbersOfLane = numbers
    func rank(_ host: Int) -> Int { topology.ranksOfHosts[host][lane] }
    // One node a host: a plain sum over hosts, in some order.
    let operation: Schedule.Operation? =
      leaves.nodesOfHosts.allSatisfy { $0.count == 1 } ? .sum(Self.piece(0, numbers)) : nil
    let rounds: [Schedule.Round]
    if leaves.isAligned && leaves.hostCount.nonzeroBitCount == 1 {
      receivedCount = count
      rounds =
        lane < lanes
        ? Self.halvingAndDoubling(
          numbers, host: topology.host, hostCount: leaves.hostCount, rank: rank) : []
    } else {
      let most = leaves.nodesOfHosts.reduce(0) { $0 + $1.count }
      // A slice of each node, in each lane.
      let longestSlice = (count + lanes - 1) / lanes / leaves.hostCount + 2
      receivedCount = most * longestSlice * lanes
      rounds =
        lane < lanes
        ? Self.direct(
          leaves, numbers, count: count, received: lane * most * longestSlice, topology, rank: rank)
        : []
    }
    schedule = lane < lanes ? Schedule(rounds: rounds, operation: operation) : Schedule()
  }

  private static func piece(_ region: Int, _ numbers: Range<Int>, at offset: Int = 0)
    -> Schedule.Piece
  {
    Schedule.Piece(
      region: region,
      bytes: (offset + numbers.lowerBound) * stride..<(offset + numbers.upperBound) * stride)
  }

  private static func halvingAndDoubling(
    _ numbers: Range<Int>, host: Int, hostCount: Int, rank: (Int) -> Int
  ) -> [Schedule.Round] {
    var rounds: [Schedule.Round] = []
    var own = numbers
    var exchanged: [(other: Int, own: Range<Int>, others: Range<Int>)] = []
    var distance = 1
    while distance < hostCount {
      let middle = own.lowerBound + own.count / 2
      let (lower, upper) = (own.lowerBound..<middle, middle..<own.upperBound)
      let other = host ^ distance
      let (kept, given) = host < other ? (lower, upper) : (upper, lower)
      var round = Schedule.Round()
      if !given.isEmpty {
        round.sent = [Schedule.Message(rank: rank(other), pieces: [piece(0, given)])]
      }
      if !kept.isEmpty {
        round.received = [Schedule.Message(rank: rank(other), pieces: [piece(1, kept)])]
        // Two numbers have the same sum in either order.
        round.additions = [Schedule.Addition(piece(0, kept), piece(1, kept))]
      }
      rounds.append(round)
      exchanged.append((other, kept, given))
      own = kept
      distance *= 2
    }
    for (other, kept, given) in exchanged.reversed() {
      var round = Schedule.Round()
      if !kept.isEmpty {
        round.sent = [Schedule.Message(rank: rank(other), pieces: [piece(0, kept)])]
      }
      if !given.isEmpty {
        round.received = [Schedule.Message(rank: rank(other), pieces: [piece(0, given)])]
      }
      rounds.append(round)
    }
    return rounds
  }

  private static func direct(
    _ leaves: LeafPlacement, _ numbers: Range<Int>, count: Int, received offset: Int,
    _ topology: Topology, rank: (Int) -> Int
  ) -> [Schedule.Round] {
    let (host, hostCount) = (topology.host, leaves.hostCount)
    func slice(_ host: Int) -> Range<Int> {
      let share = BatchPlacement.share(host, of: numbers.count, over: hostCount)
      return numbers.lowerBound + share.lowerBound..<numbers.lowerBound + share.upperBound
    }
    let own = slice(host)
    // Where each node's numbers of this host's slice are.
    var terms: [(node: Range<Int>, piece: Schedule.Piece)] = []
    var piecesOfHosts: [[Schedule.Piece]] = []
    var next = offset
    for (other, nodes) in leaves.nodesOfHosts.enumerated() {
      var pieces: [Schedule.Piece] = []
      for (index, node) in nodes.enumerated() {
        if other == host {
          pieces.append(piece(0, own, at: index * count))
        } else {
          pieces.append(piece(1, 0..<own.count, at: next))
          next += own.count
        }
        terms.append((node, pieces[index]))
      }
      piecesOfHosts.append(pieces)
    }
    var (scatter, gather) = (Schedule.Round(), Schedule.Round())
    for other in topology.otherHosts {
      let given = slice(other)
      let ownNodes = leaves.nodes(ofHost: host).indices
      if !given.isEmpty && !ownNodes.isEmpty {
        scatter.sent.append(
          Schedule.Message(
            rank: rank(other), pieces: ownNodes.map { piece(0, given, at: $0 * count) }))
      }
      if !own.isEmpty && !piecesOfHosts[other].isEmpty {
        scatter.received.append(Schedule.Message(rank: rank(other), pieces: piecesOfHosts[other]))
      }
      if !own.isEmpty {
        gather.sent.append(Schedule.Message(rank: rank(other), pieces: [piece(0, own)]))
      }
      if !given.isEmpty {
        gather.received.append(Schedule.Message(rank: rank(other), pieces: [piece(0, given)]))
      }
    }
    if !own.isEmpty {
      // The sum of a node is where that of its first term was.
      var stack: [Schedule.Piece] = []
      for (term, additions) in zip(terms, SummationTree.additions(terms.map(\.node))) {
        stack.append(term.piece)
        for _ in 0..<additions {
          let source = stack.removeLast()
          scatter.additions.append(Schedule.Addition(stack[stack.count - 1], source))
        }
      }
      if let sum = stack.first, sum != piece(0, own) {
        var copy = Schedule.Addition(piece(0, own), sum)
        copy.isCopy = true
        scatter.additions.append(copy)
      }
    }
    return [scatter, gather]
  }
}

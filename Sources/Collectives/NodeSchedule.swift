/// How the leaders of hosts exchange small sums, such as BatchNorm's: each host first adds up its own nodes.
///
/// All lie in one region, `[places, bytesOfNode]`. With few hosts everybody sends its nodes to everybody, and adds up
/// the rest by itself. With many, and hosts that are leaves of a tree like that of the leaves, it is recursive
/// doubling: in round r neighbouring groups of 2ʳ hosts tell each other their sums.
public struct NodeSchedule: Equatable, Sendable {
  /// Up to so many hosts send to everybody: one latency instead of one a round.
  public static let mostHostsOfDirectExchange = 8

  /// Places of the region.
  public let placeCount: Int
  /// This host's nodes, and where it has to write them.
  public let own: [(node: Range<Int>, place: Int)]
  /// What is left to be added up after the exchange, in order, and where it is.
  public let terms: [(node: Range<Int>, place: Int)]
  /// Of this host's leader; empty on its other ranks.
  public let schedule: Schedule

  public static func == (a: NodeSchedule, b: NodeSchedule) -> Bool {
    a.placeCount == b.placeCount && a.schedule == b.schedule
      && a.terms.map(\.place) == b.terms.map(\.place)
  }

  /// - Parameters:
  ///   - rowCount: of all leaves.
  ///   - mostDirect: how many hosts send to everybody.
  public init(
    _ leaves: LeafPlacement, rowCount: Int, bytesOfNode: Int, _ topology: Topology,
    mostDirect: Int = mostHostsOfDirectExchange
  ) {
    let host = topology.host
    func piece(_ place: Int) -> Schedule.Piece {
      Schedule.Piece(region: 0, bytes: place * bytesOfNode..<(place + 1) * bytesOfNode)
    }
    func leader(_ host: Int) -> Int { topology.ranksOfHosts[host][0] }
    func rows(_ node: Range<Int>) -> Int {
      min(node.upperBound * leaves.leafSize, rowCount) - node.lowerBound * leaves.leafSize
    }
    guard leaves.hostCount > mostDirect && leaves.isAligned else {
      var placesOfHosts: [Range<Int>] = []
      var terms: [(node: Range<Int>, place: Int)] = []
      for nodes in leaves.nodesOfHosts {
        placesOfHosts.append(terms.count..<terms.count + nodes.count)
        for node in nodes { terms.append((node, terms.count)) }
      }
      self.terms = terms
      placeCount = terms.count
      own = Array(terms[placesOfHosts[host]])
      var round = Schedule.Round()
      func bytes(_ places: Range<Int>) -> Range<Int> {
        places.lowerBound * bytesOfNode..<places.upperBound * bytesOfNode
      }
      func message(_ places: Range<Int>, _ other: Int) -> Schedule.Message {
        Schedule.Message(
          rank: leader(other), pieces: [Schedule.Piece(region: 0, bytes: bytes(places))])
      }
      for other in topology.otherHosts {
        if !own.isEmpty { round.sent.append(message(placesOfHosts[host], other)) }
        if !placesOfHosts[other].isEmpty {
          round.received.append(message(placesOfHosts[other], other))
        }
      }
      schedule =
        topology.isLeader
        ? Schedule(
          rounds: [round], operation: .gather(bytesOfHosts: placesOfHosts.map(bytes)))
        : Schedule()
      return
    }
    let hostCount = leaves.hostCount
    own = [(leaves.nodes(ofHost: host)[0], 0)]
    var (rounds, current, size, places): ([Schedule.Round], Int, Int, Int) = ([], 0, 1, 1)
    while size < hostCount {
      defer { size *= 2 }
      let isLeft = (host / size).isMultiple(of: 2)
      let left = host / (2 * size) * 2 * size
      let middle = left + size
      // A group without a neighbour has nothing to add.
      guard middle < hostCount else { continue }
      let end = min(middle + size, hostCount)
      func source(of host: Int) -> Int {
        host < middle ? middle + (host - left) % (end - middle) : left + (host - middle)
      }
      var round = Schedule.Round()
      let others = isLeft ? middle..<end : left..<middle
      for other in others where source(of: other) == host {
        round.sent.append(Schedule.Message(rank: leader(other), pieces: [piece(current)]))
      }
      let received = places
      places += 1
      round.received = [Schedule.Message(rank: leader(source(of: host)), pieces: [piece(received)])]
      func rowsOfHosts(_ hosts: Range<Int>) -> Int {
        rows(
          leaves.leavesOfHosts[hosts.lowerBound]
            .lowerBound..<leaves.leavesOfHosts[
              hosts.upperBound - 1
            ].upperBound)
      }
      var addition = Schedule.Addition(
        piece(isLeft ? current : received), piece(isLeft ? received : current))
      addition.targetRows = rowsOfHosts(left..<middle)
      addition.sourceRows = rowsOfHosts(middle..<end)
      round.additions = [addition]
      if !isLeft { current = received }
      rounds.append(round)
    }
    placeCount = places
    terms = [(0..<leaves.tree.leafCount, current)]
    schedule = topology.isLeader ? Schedule(rounds: rounds) : Schedule()
  }
}

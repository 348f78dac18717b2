import Collectives
import MPI

/// Which ranks share a host, and how they reach each other and the other hosts. Every host has a leader: its lowest
/// rank.
public struct Hosts {
  public let world: Communicator
  /// The ranks of this host, in the world's order; the first one leads.
  public let own: Communicator
  /// The leaders of all hosts, in the world's order; nil on ranks that lead none.
  let leaders: Communicator?
  /// The world's ranks on each host, hosts in the order of their leaders.
  public let ranks: [[Int]]

  /// Asks MPI who can share memory with whom. Every rank must call this.
  /// - Throws: `MPIError`.
  public init(_ world: Communicator) throws {
    try self.init(world, own: try world.splitByHost())
  }

  private init(_ world: Communicator, own: Communicator) throws {
    (self.world, self.own) = (world, own)
    leaders = try world.split(isMember: own.rank == 0)
    let leaderOfRank = try world.allGather(own.broadcast(world.rank, from: 0))
    var ranks: [Int: [Int]] = [:]
    for (rank, leader) in leaderOfRank.enumerated() { ranks[leader, default: []].append(rank) }
    self.ranks = ranks.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The same with some hosts taken apart: each of their ranks is a host of its own. Every rank must call this.
  /// - Parameter isApart: whether this rank's host is; the same on all ranks of the host.
  /// - Throws: `MPIError`.
  func takingApart(_ isApart: Bool) throws -> Hosts {
    let leader = try own.broadcast(world.rank, from: 0)
    return try Hosts(world, own: try world.split(color: isApart ? world.rank : leader))
  }

  /// Bytes a second that the slowest host sends to the next while it receives as many. Every rank must call this.
  /// - Returns: nil on ranks that lead no host.
  /// - Throws: `MPIError`.
  public func bytesPerSecond() throws -> Double? { try leaders?.bytesPerSecondInRing() }

  /// This rank's fellows on the other hosts: those with the same number on their hosts, in the order of hosts; nil on
  /// ranks whose number some host does not have. All are connected. Every rank must call this.
  /// - Throws: `MPIError`.
  func lane(of topology: Topology) throws -> Communicator? {
    let lane = topology.rankOnHost
    let isMember = lane < topology.laneCount
    let fellows = try world.split(color: isMember ? lane : topology.laneCount)
    guard isMember else { return nil }
    try fellows.connect(to: Set(fellows.otherRanks), tag: Communicator.firstConnectionTag)
    return fellows
  }

  /// Who is where.
  public func topology(threadsOfRank: [Int], processorsOfRank: [Double]? = nil) -> Topology {
    Topology(
      rank: world.rank, ranksOfHosts: ranks, threadsOfRank: threadsOfRank,
      processorsOfRank: processorsOfRank)
  }
}

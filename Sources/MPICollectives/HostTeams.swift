import MPI

/// Which ranks share a host, and how they reach each other and the other hosts. Every host has a leader: its lowest rank.
struct HostTeams {
  let world: Communicator
  /// The ranks of this host, in the world's order; the first one leads.
  let host: Communicator
  /// The leaders of all hosts, in the world's order; nil on ranks that lead none.
  let leaders: Communicator?
  /// The world's ranks on each host, hosts in the order of their leaders.
  let ranksOfHosts: [[Int]]
  /// Which of the hosts this one is.
  let ownHost: Int

  /// Every rank must call this.
  /// - Throws: `MPIError`.
  init(_ world: Communicator) throws {
    self.world = world
    host = try world.splitByHost()
    leaders = try world.split(isMember: host.rank == 0)
    let ownLeader = try host.broadcast(world.rank, from: 0)
    let leaderOfRank = try world.allGather(ownLeader)
    let allLeaders = leaderOfRank.indices.filter { leaderOfRank[$0] == $0 }
    ranksOfHosts = allLeaders.map { leader in
      leaderOfRank.indices.filter { leaderOfRank[$0] == leader }
    }
    ownHost = allLeaders.firstIndex(of: ownLeader) ?? 0
  }

  var isLeader: Bool { host.rank == 0 }
  var hostCount: Int { ranksOfHosts.count }
  /// Whether any two ranks share a host.
  var shareHosts: Bool { hostCount < world.rankCount }

  /// Memory that the ranks of each host share: zeros, `byteCount` on this rank. Every rank must call this.
  /// - Returns: nil on all ranks if there is no room on some host.
  /// - Throws: `MPIError`.
  func makeWindow(byteCount: Int) throws -> SharedWindow? {
    let window: SharedWindow?
    do {
      window = try SharedWindow(byteCount: byteCount, over: host)
    } catch is SharedMemoryError {
      window = nil
    }
    return try world.allGather(window == nil ? 0 : 1).contains(0) ? nil : window
  }
}

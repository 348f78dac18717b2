import MPI

/// Which rank runs where, with how many threads: known to all ranks.
struct RankDirectory {
  let hostOfRank: [String]
  let threadsOfRank: [Int]
  /// Whether ranks of rank 0's host share processors.
  let isOversubscribed: Bool
  let processorsOfRoot: Int

  /// Every rank must call this.
  init(_ communicator: Communicator, placement: ProcessPlacement, threadCount: Int) throws {
    hostOfRank = try communicator.allGather(MPISession.hostName)
    threadsOfRank = try communicator.allGather(threadCount)
    isOversubscribed = try communicator.broadcast(placement.isOversubscribed ? 1 : 0, from: 0) == 1
    processorsOfRoot = try communicator.broadcast(placement.usableProcessors, from: 0)
  }

  var rankCount: Int { hostOfRank.count }

  /// What people call the ranks, such as "rank 2 on node1".
  var names: [String] { hostOfRank.enumerated().map { "rank \($0) on \($1)" } }

  /// Hosts in the order of their first rank, with the number of their ranks.
  var ranksOfHosts: [(host: String, ranks: Int)] {
    var hosts: [(host: String, ranks: Int)] = []
    for host in hostOfRank {
      if let index = hosts.firstIndex(where: { $0.host == host }) {
        hosts[index].ranks += 1
      } else {
        hosts.append((host, 1))
      }
    }
    return hosts
  }
}

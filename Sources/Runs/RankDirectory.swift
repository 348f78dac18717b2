import Collectives
import MPI
import MPICollectives
import Processors

/// Which rank runs where, with how many threads: known to all ranks.
package struct RankDirectory {
  /// Who shares memory with whom.
  package let hosts: Hosts
  package let hostOfRank: [String]
  package let threadsOfRank: [Int]
  /// Each rank's share of its host's processors.
  package let processorsOfRank: [Double]
  /// How rank 0's host shares its processors among its ranks.
  package let sharing: Sharing
  /// Of several hosts.
  package let travelCosts: TravelCosts?

  /// What is told of a host's processors.
  package struct Sharing: Equatable {
    package let processors: Int
    /// Processors' worth of time that a control group allows; nil for no limit.
    package let quota: Double?
    /// Whether there are more threads than processors.
    package let isOversubscribed: Bool
  }

  /// Every rank must call this.
  package init(_ hosts: Hosts, share: ProcessorShare, threadCount: Int) throws {
    let communicator = hosts.world
    self.hosts = hosts
    hostOfRank = try communicator.allGather(MPISession.hostName)
    threadsOfRank = try communicator.allGather(threadCount)
    travelCosts = try TravelCosts.measure(hosts)
    processorsOfRank = try communicator.allGather(share.processors)
    let isOversubscribed = !share.hasRoom(forThreads: threadCount)
    sharing = Sharing(
      processors: try communicator.broadcast(share.processorsOfHost, from: 0),
      quota: try communicator.broadcast(share.quota ?? .infinity, from: 0).finite,
      isOversubscribed: try communicator.broadcast(isOversubscribed ? 1 : 0, from: 0) == 1)
  }

  package var rankCount: Int { hostOfRank.count }

  /// What people call the ranks, such as "rank 2 on node1".
  package var names: [String] { hostOfRank.enumerated().map { "rank \($0) on \($1)" } }

  /// Hosts in the order of their first rank, with the number of their ranks.
  package var ranksOfHosts: [(host: String, ranks: Int)] {
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

extension Double {
  /// The number; nil for infinity and NaN.
  fileprivate var finite: Double? { isFinite ? self : nil }
}

/// Which ranks there are, which of them share a host, and where this process is among them.
///
/// Ranks of a host share memory. A rank that cannot share memory with its neighbours is a host of its own.
public struct Topology: Equatable, Sendable {
  /// This process's number in the job.
  public let rank: Int
  /// The ranks of each host in ascending order; hosts in the order of their lowest ranks.
  public let ranksOfHosts: [[Int]]
  /// How many threads each rank has.
  public let threadsOfRank: [Int]
  /// How many of them get rows: no more of a host than it has processors. More would only read the weights again, each
  /// for itself.
  public let rowThreadsOfRank: [Int]
  /// Which of the hosts is this rank's.
  public let host: Int
  /// This rank's number among the ranks of its host; number 0 leads the host.
  public let rankOnHost: Int
  /// Places in ``order`` of the lowest rank of each host.
  public let firstPlaces: [Int]

  /// - Parameters:
  ///   - ranksOfHosts: each rank on exactly one host.
  ///   - processorsOfRank: each rank's share of its host's processors, below 1 where ranks outnumber them; nil if there
  ///     are enough for all threads.
  public init(
    rank: Int, ranksOfHosts: [[Int]], threadsOfRank: [Int], processorsOfRank: [Double]? = nil
  ) {
    precondition(ranksOfHosts.joined().sorted() == Array(threadsOfRank.indices))
    let hosts = ranksOfHosts.map { $0.sorted() }.sorted { $0[0] < $1[0] }
    guard let host = hosts.firstIndex(where: { $0.contains(rank) }),
      let rankOnHost = hosts[host].firstIndex(of: rank)
    else { preconditionFailure("rank \(rank) is on no host") }
    self.rank = rank
    self.ranksOfHosts = hosts
    self.threadsOfRank = threadsOfRank
    (self.host, self.rankOnHost) = (host, rankOnHost)
    var place = 0
    firstPlaces = hosts.map { ranks in
      defer { place += ranks.count }
      return place
    }
    var rowThreads = threadsOfRank
    for ranks in hosts {
      guard let processorsOfRank else { break }
      var (processors, given) = (0.0, 0)
      for (index, rank) in ranks.enumerated() {
        // Rounding must not take a whole processor away.
        processors += processorsOfRank[rank] + 1e-9
        let isLast = index + 1 == ranks.count
        let more = max(Int(processors) - given, isLast && given == 0 ? 1 : 0)
        rowThreads[rank] = min(more, threadsOfRank[rank])
        given += more
      }
    }
    rowThreadsOfRank = rowThreads
  }

  /// One rank alone.
  public static func solo(threads: Int = 1) -> Topology {
    Topology(rank: 0, ranksOfHosts: [[0]], threadsOfRank: [threads])
  }

  public var rankCount: Int { threadsOfRank.count }
  public var hostCount: Int { ranksOfHosts.count }
  public var isLeader: Bool { rankOnHost == 0 }
  /// The lowest rank of each host.
  public var leaders: [Int] { ranksOfHosts.map { $0[0] } }

  /// All hosts but this one, the next one first: not all begin with the same.
  public var otherHosts: [Int] { (1..<max(hostCount, 1)).map { (host + $0) % hostCount } }
  /// How many ranks every host has at least: so many can exchange messages side by side.
  public var laneCount: Int { ranksOfHosts.map(\.count).min() ?? 1 }

  /// All ranks, host by host: rows are dealt out in this order, so that those of a host are neighbours.
  public var order: [Int] { ranksOfHosts.flatMap(\.self) }
  /// Places in ``order`` of a host's ranks.
  public func places(ofHost host: Int) -> Range<Int> {
    firstPlaces[host]..<firstPlaces[host] + ranksOfHosts[host].count
  }
  /// This rank's place in ``order``.
  public var place: Int { places(ofHost: host).lowerBound + rankOnHost }

  /// Threads of all ranks of this host: its workers. A rank's threads are neighbours.
  public var workerCount: Int { workerCount(ofHost: host) }
  /// Workers of the host that has most.
  public var mostWorkers: Int { ranksOfHosts.indices.map(workerCount).max() ?? 1 }
  private func workerCount(ofHost host: Int) -> Int {
    ranksOfHosts[host].reduce(0) { $0 + threadsOfRank[$1] }
  }
  /// Those of this rank.
  public var ownWorkers: Range<Int> {
    let begin = ranksOfHosts[host][..<rankOnHost].reduce(0) { $0 + threadsOfRank[$1] }
    return begin..<begin + threadsOfRank[rank]
  }
}

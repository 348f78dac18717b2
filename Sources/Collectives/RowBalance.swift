/// Which hosts wait for which in every step, because their threads have fewer rows: a batch is dealt out in whole
/// blocks, and hosts have as many as they have threads.
public struct RowBalance: Equatable, Sendable {
  /// Of each host the rows of the thread that has most.
  public let mostRowsOfThreads: [Int]

  public init(_ placement: BatchPlacement, _ topology: Topology) {
    mostRowsOfThreads = (0..<topology.hostCount).map { host in
      topology.places(ofHost: host).map { place in
        let rows = placement.rowsOfPlaces[place]
        let threads = max(topology.rowThreadsOfRank[topology.order[place]], 1)
        let blocks = (BatchPlacement.blockCount(rows.count) + threads - 1) / threads
        return min(blocks * BatchPlacement.blockSize, rows.count)
      }.max() ?? 0
    }
  }

  /// What is to be said of it, such as "node3 (8 rows a thread) will wait for node1 (16)"; nil where all have as much
  /// to do.
  /// - Parameter names: of the hosts.
  public func sentence(_ names: [String]) -> String? {
    guard let most = mostRowsOfThreads.max(), let least = mostRowsOfThreads.min(), least < most
    else { return nil }
    func hosts(_ isMeant: (Int) -> Bool) -> String {
      let meant = mostRowsOfThreads.indices.filter { isMeant(mostRowsOfThreads[$0]) }
      return meant.count == 1 ? names[meant[0]] : "\(meant.count) hosts"
    }
    let idlers = mostRowsOfThreads.filter { $0 < most }
    let rows =
      idlers.allSatisfy { $0 == least } ? "\(least)" : "\(least) to \(idlers.max() ?? least)"
    return
      "\(hosts { $0 < most }) (\(rows) rows a thread) will wait for \(hosts { $0 == most }) (\(most))"
  }
}

import Testing

@testable import Collectives

/// Whose rows and whose outputs are whose.
@Suite struct PlacementTests {
  /// Hosts by slot, by node, and each rank by itself.
  private static func hosts(_ ranks: Int) -> [[[Int]]] {
    let half = (ranks + 1) / 2
    return [
      [Array(0..<ranks)], (0..<ranks).map { [$0] },
      [Array(0..<half), Array(half..<ranks)],
      [(0..<ranks).filter { $0 % 2 == 0 }, (0..<ranks).filter { $0 % 2 == 1 }],
    ].map { $0.filter { !$0.isEmpty } }
  }

  @Test(arguments: [1, 2, 3, 4, 7, 16, 20], [2, 8, 36, 64, 100, 256])
  func rowsCoverTheBatchOnceInBlocks(ranks: Int, batch: Int) {
    for hosts in Self.hosts(ranks) {
      for threads in 1...3 {
        for processors in [nil, 1.0, 0.3] {
          let topologies = (0..<ranks).map {
            Topology(
              rank: $0, ranksOfHosts: hosts,
              threadsOfRank: [Int](repeating: threads, count: ranks),
              processorsOfRank: processors.map { [Double](repeating: $0, count: ranks) })
          }
          let placements = topologies.map {
            BatchPlacement(globalBatchSize: batch, topology: $0)
          }
          let rows = topologies[0].order.flatMap { placements[$0].rowsOfThreads }
          #expect(rows.flatMap { Array($0) } == Array(0..<batch))
          #expect(rows.allSatisfy { $0.isEmpty || $0.lowerBound.isMultiple(of: 8) })
          let sizes = rows.map { BatchPlacement.blockCount($0.count) }
          if processors == nil {
            #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
          }
          // No more workers with rows than processors, but on each host one at least.
          if let processors {
            for ranks in hosts {
              let own = ranks.flatMap { placements[$0].rowsOfThreads }.count { !$0.isEmpty }
              #expect(own <= max(1, Int(processors * Double(ranks.count) + 1e-6)))
            }
          }
          for placement in placements {
            #expect(placement.rowsOfHosts == placements[0].rowsOfHosts)
          }
          for (host, ranks) in topologies[0].ranksOfHosts.enumerated() {
            #expect(
              ranks.flatMap { placements[$0].rowsOfThreads.flatMap { Array($0) } }
                == Array(placements[0].rowsOfHosts[host]))
          }
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3, 5, 8, 16, 64, 200])
  func outputsAreOwnedOnce(workers: Int) {
    let layers = [(128, 64), (256, 128), (512, 256), (784, 512), (1, 256), (10, 3)]
      .map { (outputs: $0.0, cost: $0.1) }
    let placement = OutputPlacement(layers: layers, workers: workers)
    #expect(placement.runsOfWorkers.count == workers)
    for (layer, size) in layers.enumerated() {
      let runs = placement.runsOfWorkers.joined().filter { $0.layer == layer }
      #expect(runs.flatMap { Array($0.outputs) } == Array(0..<size.outputs))
      #expect(runs.allSatisfy { $0.outputs.lowerBound.isMultiple(of: 8) })
    }
    // As even as whole groups allow.
    let costs = placement.runsOfWorkers.map {
      $0.reduce(0) { $0 + $1.outputs.count * layers[$1.layer].cost }
    }
    let total = layers.reduce(0) { $0 + $1.outputs * $1.cost }
    #expect((costs.max() ?? 0) <= total / workers + 8 * 512)
  }

  @Test func ranksAreLinedUpHostByHost() {
    let topology = Topology(
      rank: 3, ranksOfHosts: [[1, 3], [0, 2, 4]], threadsOfRank: [1, 2, 1, 4, 1])
    #expect(topology.ranksOfHosts == [[0, 2, 4], [1, 3]])
    #expect(topology.order == [0, 2, 4, 1, 3])
    #expect(topology.host == 1 && topology.rankOnHost == 1 && !topology.isLeader)
    #expect(topology.place == 4 && topology.places(ofHost: 1) == 3..<5)
    #expect(topology.leaders == [0, 1])
    #expect(topology.workerCount == 6 && topology.ownWorkers == 2..<6)
  }

  @Test func anAllGatherOfOneRankIsItsOwn() throws {
    let collective = SoloCollective()
    let gather = try AllGather(name: "test", count: 2, over: collective)
    #expect(!gather.isAnySet)
    gather.contribution[1] = 3
    try gather.run()
    #expect(Array(gather.ofRank(0)) == [0, 3] && gather.isAnySet)
  }
}

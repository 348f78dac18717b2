import Testing

@testable import Collectives

/// Which message goes from whom to whom, and what is added up: every schedule is run by simulated ranks.
@Suite struct ScheduleTests {
  private static let layouts: [[Int]] = [
    [1, 1], [2, 1, 1], [2, 2, 2], [1, 1, 1, 1], [1, 2, 3, 4, 5], [Int](repeating: 2, count: 9),
    [Int](repeating: 1, count: 16), [Int](repeating: 1, count: 31),
  ]
  private static let batches = [8, 72, 200, 256, 496]

  private func placements(_ topologies: [Topology], _ rows: Int) -> [BatchPlacement] {
    topologies.map { BatchPlacement(globalBatchSize: rows, topology: $0) }
  }

  @Test(arguments: layouts, batches) func everyHostGetsTheRowsThatItNeeds(
    layout: [Int], rows: Int
  ) {
    for byNode in [false, true] {
      let topologies = Layouts.topologies(layout, byNode: byNode)
      let placements = placements(topologies, rows)
      let leaves = LeafPlacement(rowsOfHosts: placements[0].rowsOfHosts, leafSize: 64)
      for needed in [
        layout.map { _ in 0..<rows }, layout.indices.map { leaves.rows(ofHost: $0, of: rows) },
      ] {
        // Two matrices, of one and of three numbers a row.
        let memory = topologies.indices.map { rank in
          [1, 3].map { columns in
            (0..<rows * columns).map { number in
              placements[rank].rowsOfThreads.contains { $0.contains(number / columns) }
                ? "\(number)" : "?"
            }
          }
        }
        var ranks = SimulatedRanks(memory, unit: 8)
        let address = UnsafeMutableRawPointer(bitPattern: 64)!
        ranks.run(
          topologies.map { topology in
            .rowsOfRanks(
              [1, 3].map {
                TravellingRows(
                  address: address, bytesOfRow: 8 * $0,
                  rowsOfPlaces: placements[topology.rank].rowsOfPlaces, rowsForHosts: needed)
              }, topology)
          })
        // What the ranks of a host have lies in the same memory.
        for (host, ranksOfHost) in topologies[0].ranksOfHosts.enumerated() {
          for (matrix, columns) in [1, 3].enumerated() {
            for number in needed[host].lowerBound * columns..<needed[host].upperBound * columns {
              let known = Set(ranksOfHost.map { ranks.memory[$0][matrix][number] })
              #expect(known.subtracting(["?"]) == ["\(number)"])
            }
          }
        }
        let all = needed.enumerated().reduce(0) {
          $0 + $1.element.count
            - placements[0].rowsOfHosts[$1.offset].clamped(to: $1.element).count
        }
        #expect(ranks.sent.reduce(0) { $0 + $1.bytes } == 8 * 4 * all, "a row that travels twice")
      }
    }
  }

  @Test(arguments: layouts) func everyHostGetsARowOfEachRank(layout: [Int]) {
    for (byNode, mostDirect) in [(false, 0), (true, 0), (false, 8), (true, 8)] {
      let topologies = Layouts.topologies(layout, byNode: byNode)
      let places = topologies.indices
      // Ranks of a host write into the same memory.
      let memory = topologies.map { topology in
        [
          places.flatMap { place in
            (0..<3).map { number in
              topology.places(ofHost: topology.host).contains(place) ? "\(place).\(number)" : "?"
            }
          }
        ]
      }
      var ranks = SimulatedRanks(memory, unit: 8)
      let schedules = topologies.map {
        Schedule.rowsOfHosts(
          TravellingRows(
            address: UnsafeMutableRawPointer(bitPattern: 64)!, bytesOfRow: 24,
            rowsOfPlaces: places.map { $0..<$0 + 1 },
            rowsForHosts: layout.map { _ in 0..<places.count }), $0, mostDirect: mostDirect)
      }
      ranks.run(schedules)
      for topology in topologies {
        let leads = topology.isLeader
        let all = places.flatMap { place in (0..<3).map { "\(place).\($0)" } }
        if leads { #expect(ranks.memory[topology.rank][0] == all) }
        #expect(schedules[topology.rank].isEmpty == !leads)
        if leads && layout.count > mostDirect {
          let rounds = schedules[topology.rank].rounds
          #expect(1 << rounds.count >= layout.count && 1 << (rounds.count - 1) < layout.count)
          #expect(rounds.allSatisfy { $0.sent.count == 1 && $0.received.count == 1 })
        }
      }
      // Nothing arrives twice.
      #expect(ranks.sent.reduce(0) { $0 + $1.bytes } == 24 * places.count * (layout.count - 1))
    }
  }

  @Test(arguments: layouts, batches) func smallSumsAreThoseOfTheTree(
    layout: [Int], rows: Int
  ) {
    for mostDirect in [0, 8] {
      let topologies = Layouts.topologies(layout, byNode: true)
      let placements = placements(topologies, rows)
      let leaves = LeafPlacement(rowsOfHosts: placements[0].rowsOfHosts, leafSize: 8)
      let nodes = topologies.map {
        NodeSchedule(leaves, rowCount: rows, bytesOfNode: 8, $0, mostDirect: mostDirect)
      }
      let memory = nodes.map { nodes in
        var places = [String](repeating: "?", count: nodes.placeCount)
        for (node, place) in nodes.own { places[place] = SimulatedRanks.tree(node) }
        return [places]
      }
      var ranks = SimulatedRanks(memory, unit: 8)
      ranks.run(nodes.map(\.schedule))
      for topology in topologies where topology.isLeader {
        let rank = topology.rank
        var stack: [String] = []
        let additions = SummationTree.additions(nodes[rank].terms.map(\.node))
        for (term, additions) in zip(nodes[rank].terms, additions) {
          stack.append(ranks.memory[rank][0][term.place])
          for _ in 0..<additions {
            let last = stack.removeLast()
            stack.append("(\(stack.removeLast())+\(last))")
          }
        }
        #expect(stack == [SimulatedRanks.tree(0..<leaves.tree.leafCount)])
      }
      for topology in topologies where !topology.isLeader {
        #expect(ranks.sent[topology.rank].messages == 0)
      }
    }
  }

  @Test(arguments: layouts, batches) func largeSumsAreThoseOfTheTree(
    layout: [Int], rows: Int
  ) {
    for count in [1, 13] {
      let topologies = Layouts.topologies(layout)
      let placements = placements(topologies, rows)
      let leaves = LeafPlacement(rowsOfHosts: placements[0].rowsOfHosts, leafSize: 64)
      let sums = topologies.map { SumSchedule(leaves, count: count, $0) }
      let memory = topologies.map { topology in
        let nodes = leaves.nodes(ofHost: topology.host)
        return [
          (0..<sums[topology.rank].nodeCount * count).map { place in
            nodes.isEmpty
              ? "?" : SimulatedRanks.tree(nodes[place / count]) { "\($0):\(place % count)" }
          }, [String](repeating: "?", count: sums[topology.rank].receivedCount),
        ]
      }
      var ranks = SimulatedRanks(memory, unit: 4)
      ranks.run(sums.map(\.schedule))
      let isHalving = leaves.isAligned && leaves.hostCount.nonzeroBitCount == 1
      for (host, ranksOfHost) in topologies[0].ranksOfHosts.enumerated() {
        for number in 0..<count {
          let expected = SimulatedRanks.tree(0..<leaves.tree.leafCount) { "\($0):\(number)" }
          let results = ranksOfHost.map { ranks.memory[$0][0][number] }
          // Sums of two are taken in either order: the same bits.
          #expect(
            results.contains {
              isHalving ? normalized($0) == normalized(expected) : $0 == expected
            }, "number \(number) on host \(host): \(results)")
        }
      }
    }
  }

  /// A sum with its smaller part first: a + b and b + a are the same number.
  private func normalized(_ sum: String) -> String {
    guard sum.hasPrefix("(") else { return sum }
    var depth = 0
    for (offset, character) in sum.enumerated() {
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      guard character == "+" && depth == 1 else { continue }
      let middle = sum.index(sum.startIndex, offsetBy: offset)
      let left = normalized(String(sum[sum.index(after: sum.startIndex)..<middle]))
      let right = normalized(
        String(sum[sum.index(after: middle)..<sum.index(before: sum.endIndex)]))
      return "(\(min(left, right))+\(max(left, right)))"
    }
    return sum
  }

  /// Few messages where there are many hosts: the work to plan them does not grow with the square of the ranks.
  @Test func aThousandHostsPlanFewMessages() {
    let hostCount = 1024
    let ranksOfHosts = (0..<hostCount).map { [$0] }
    for host in [0, 1, 511, 1023] {
      let topology = Topology(
        rank: host, ranksOfHosts: ranksOfHosts,
        threadsOfRank: [Int](repeating: 1, count: hostCount))
      let placement = BatchPlacement(globalBatchSize: 64 * hostCount, topology: topology)
      let leaves = LeafPlacement(rowsOfHosts: placement.rowsOfHosts, leafSize: 64)
      #expect(leaves.isAligned)
      let sums = SumSchedule(leaves, count: 401_920, topology)
      #expect(sums.schedule.rounds.count == 20)
      #expect(sums.schedule.rounds.allSatisfy { $0.sent.count == 1 && $0.received.count == 1 })
      #expect(sums.schedule.sentByteCount < 2 * 401_920 * 4)
      let blocks = LeafPlacement(rowsOfHosts: placement.rowsOfHosts, leafSize: 8)
      let nodes = NodeSchedule(
        blocks, rowCount: 64 * hostCount, bytesOfNode: 4096, topology)
      #expect(nodes.schedule.rounds.count == 10 && nodes.placeCount == 11)
      #expect(nodes.schedule.sentByteCount == 10 * 4096)
      let rows = Schedule.rowsOfHosts(
        TravellingRows(
          address: UnsafeMutableRawPointer(bitPattern: 64)!, bytesOfRow: 8,
          rowsOfPlaces: (0..<hostCount).map { $0..<$0 + 1 },
          rowsForHosts: [Range<Int>](repeating: 0..<hostCount, count: hostCount)), topology)
      #expect(rows.rounds.count == 10 && rows.sentByteCount == 8 * (hostCount - 1))
      // Connections are opened to those only that something is exchanged with.
      let peers = sums.schedule.peers.union(nodes.schedule.peers).union(rows.peers)
      #expect(peers.count <= 3 * 10)
    }
  }

  @Test func hostsThatAreNoLeavesOfTheTreeAreSeen() {
    func isAligned(_ rows: [Int]) -> Bool {
      var (begin, ranges): (Int, [Range<Int>]) = (0, [])
      for count in rows {
        ranges.append(begin..<begin + count)
        begin += count
      }
      return LeafPlacement(rowsOfHosts: ranges, leafSize: 8).isAligned
    }
    #expect(isAligned([64, 64, 64]) && isAligned([16, 16, 3]) && isAligned([8]))
    #expect(!isAligned([24, 24]) && !isAligned([32, 16, 16]) && !isAligned([16, 16, 24]))
    #expect(!isAligned([16, 16, 0]) && !isAligned([0, 8]))
  }
}

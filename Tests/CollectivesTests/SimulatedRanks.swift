import Testing

@testable import Collectives

/// Ranks without processes: runs the schedules of all of them, message by message, and adds up brackets instead of
/// numbers, so that it can be read who was added to whom.
struct SimulatedRanks {
  /// Of each rank, of each region: what is at each place of `unit` bytes.
  private(set) var memory: [[[String]]]
  private let unit: Int
  /// Messages and bytes that each rank sent.
  private(set) var sent: [(messages: Int, bytes: Int)]

  init(_ memory: [[[String]]], unit: Int) {
    (self.memory, self.unit) = (memory, unit)
    sent = memory.map { _ in (0, 0) }
  }

  /// Runs all rounds; each rank begins its next one as soon as its messages have come.
  mutating func run(_ schedules: [Schedule]) {
    var queues: [[Int]: [[String]]] = [:]
    var rounds = [Int](repeating: 0, count: schedules.count)
    var started = [Int](repeating: -1, count: schedules.count)
    var isGoingOn = true
    while isGoingOn {
      isGoingOn = false
      for (rank, schedule) in schedules.enumerated() where rounds[rank] < schedule.rounds.count {
        let round = schedule.rounds[rounds[rank]]
        if started[rank] < rounds[rank] {
          started[rank] = rounds[rank]
          for message in round.sent {
            #expect(message.rank != rank && !message.pieces.isEmpty && message.byteCount > 0)
            queues[[rank, message.rank], default: []].append(
              message.pieces.flatMap { places($0).map { [memory] in memory[rank][$0.0][$0.1] } })
            sent[rank].messages += 1
            sent[rank].bytes += message.byteCount
          }
          isGoingOn = true
        }
        guard round.received.allSatisfy({ !(queues[[$0.rank, rank]] ?? []).isEmpty }) else {
          continue
        }
        for message in round.received {
          let content = queues[[message.rank, rank]]?.removeFirst() ?? []
          let target = message.pieces.flatMap(places)
          #expect(content.count == target.count)
          for (place, text) in zip(target, content) { memory[rank][place.0][place.1] = text }
        }
        for addition in round.additions {
          for (target, source) in zip(places(addition.target), places(addition.source)) {
            let text = memory[rank][source.0][source.1]
            memory[rank][target.0][target.1] =
              addition.isCopy ? text : "(\(memory[rank][target.0][target.1])+\(text))"
          }
        }
        rounds[rank] += 1
        isGoingOn = true
      }
    }
    #expect(rounds == schedules.map(\.rounds.count), "ranks wait for messages that nobody sends")
    let isEmpty = queues.values.allSatisfy { $0.isEmpty }
    #expect(isEmpty, "messages that nobody receives")
  }

  private func places(_ piece: Schedule.Piece) -> [(Int, Int)] {
    stride(from: piece.bytes.lowerBound, to: piece.bytes.upperBound, by: unit).map {
      (piece.region, $0 / unit)
    }
  }

  /// The sum of some leaves as it has to be, for the pairwise tree.
  static func tree(_ leaves: Range<Int>, _ name: (Int) -> String = { "\($0)" }) -> String {
    guard leaves.count > 1 else { return name(leaves.lowerBound) }
    var left = 1
    while 2 * left < leaves.count { left *= 2 }
    let middle = leaves.lowerBound + left
    return "(\(tree(leaves.lowerBound..<middle, name))+\(tree(middle..<leaves.upperBound, name)))"
  }
}

/// Hosts with so many ranks each, numbered by slot or by node.
enum Layouts {
  static func topologies(_ ranksOfHosts: [Int], byNode: Bool = false) -> [Topology] {
    var hosts = ranksOfHosts.map { _ in [Int]() }
    let most = ranksOfHosts.max() ?? 0
    var rank = 0
    if byNode {
      for turn in 0..<most {
        for (host, count) in ranksOfHosts.enumerated() where turn < count {
          hosts[host].append(rank)
          rank += 1
        }
      }
    } else {
      for (host, count) in ranksOfHosts.enumerated() {
        hosts[host] = Array(rank..<rank + count)
        rank += count
      }
    }
    return (0..<rank).map {
      Topology(
        rank: $0, ranksOfHosts: hosts, threadsOfRank: [Int](repeating: 1, count: rank))
    }
  }
}

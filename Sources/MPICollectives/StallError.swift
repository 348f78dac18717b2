import FlightRecorder
import Texts

/// An exchange hangs: who is missing, and who waits for whom. Only one rank throws it.
public struct StallError: Error, CustomStringConvertible {
  /// Ranks that did not answer; none if all wait, but not in the same exchange.
  public let missingRanks: [Int]
  public let description: String

  init(
    positions: [Int: StallWatch.Position], hostOfRank: [String], names: [String],
    records: MissingRankRecords
  ) {
    missingRanks = hostOfRank.indices.filter { positions[$0] == nil }
    let ranks = missingRanks.count == 1 ? "1 rank is" : "\(missingRanks.count) ranks are"
    let longest = positions.values.map(\.waited).max() ?? 0
    let enteredByAll =
      positions.values.map(\.enteredByAll).max { $0.number < $1.number } ?? Operation()

    func place(_ rank: Int) -> String { "rank \(rank) on \(hostOfRank[rank])" }
    func name(_ operation: Operation) -> String {
      names.indices.contains(operation.exchange)
        ? names[operation.exchange] : "exchange \(operation.exchange)"
    }
    var lines = [
      missingRanks.isEmpty
        ? "all ranks wait for each other, for \(Self.seconds(longest))"
        : "\(ranks) missing, and the others have waited for \(Self.seconds(longest))"
    ]
    for rank in missingRanks {
      let last = records.lastEntry(ofRank: rank, atLeast: enteredByAll.number)
      lines.append("missing: \(place(rank)): \(Self.lastWords(last, enteredByAll, name))")
    }
    let operations = positions.mapValues(\.waitsIn)
    for (operation, ranks) in Dictionary(grouping: positions.keys.sorted(), by: { operations[$0] })
      .sorted(by: { $0.value[0] < $1.value[0] })
    {
      guard let operation else { continue }
      lines.append(
        "waiting: \(ranks.count == 1 ? place(ranks[0]) : "ranks " + ranks.ranges())"
          + " in \(name(operation)) of step \(operation.step)")
    }
    if !missingRanks.isEmpty {
      lines.append("A missing rank is stopped, hangs in a computation, or its host is cut off.")
    }
    description = lines.joined(separator: "\n  ")
  }

  /// What a missing rank did last: from its flight record, else as far as messages tell.
  private static func lastWords(
    _ last: FlightRecord.Entry?, _ enteredByAll: Operation, _ name: (Operation) -> String
  ) -> String {
    if let last {
      let left = last.left.map { ", left it \(secondsAgo($0))" } ?? ", is still in it"
      return "entered \(last.name) of step \(last.step) last, \(secondsAgo(last.entered))\(left)"
        + " (flight record)"
    }
    guard enteredByAll.number > 0 else { return "never entered an exchange, as far as others know" }
    return "entered \(name(enteredByAll)) of step \(enteredByAll.step) last, as far as others know"
  }

  private static func secondsAgo(_ time: Int) -> String {
    seconds(Int(MissingRankRecords.secondsSince(time) * 1e9)) + " ago"
  }

  /// Nanoseconds as "3.1 s".
  private static func seconds(_ nanoseconds: Int) -> String {
    (Double(nanoseconds) / 1e9).fixed(1) + " s"
  }
}

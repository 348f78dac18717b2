import Texts

/// The records of all ranks side by side, for people.
public struct FlightRecordTable {
  private let records: [FlightRecord]
  private let operations: [[Int: FlightRecord.Entry]]
  /// The operations of the table, by number.
  private let numbers: [Int]

  /// - Parameter last: how many operations to show.
  public init(_ records: [FlightRecord], last: Int) {
    self.records = records
    operations = records.map { record in
      Dictionary(record.entries.map { ($0.number, $0) }, uniquingKeysWith: { $1 })
    }
    numbers = Set(operations.flatMap(\.keys)).sorted().suffix(max(last, 0))
  }

  /// A line for each operation, and one for each rank.
  public var lines: [String] {
    guard let rankCount = records.first?.rankCount else { return [] }
    var lines = ["\(rankCount == 1 ? "1 rank" : "\(rankCount) ranks"); steps count from 0"]
    if !numbers.isEmpty {
      lines.append(
        "entered and left in ms after the first time shown; - is not recorded;"
          + " clocks of hosts may differ")
      lines += aligned([heading] + numbers.map(cells))
    }
    lines += records.map(lastWords)
    let missing = missingRanks(rankCount)
    if !missing.isEmpty { lines.append("no flight record of \(missing)") }
    return lines
  }

  private var heading: [String] {
    ["number", "step", "operation", "bytes"] + records.map { "rank \($0.rank)" } + ["slowest"]
  }

  /// The first time that is shown, in nanoseconds.
  private var origin: Int {
    numbers.flatMap { number in operations.compactMap { $0[number]?.entered } }.min() ?? 0
  }

  private func cells(_ number: Int) -> [String] {
    let entries = operations.map { $0[number] }
    guard let any = entries.lazy.compactMap({ $0 }).first else { return [] }
    let times = entries.map { entry -> String in
      guard let entry else { return "-" }
      let left = entry.left.map { Self.milliseconds($0, after: origin) } ?? "-"
      return "\(Self.milliseconds(entry.entered, after: origin)) \(left)"
    }
    return ["\(number)", "\(any.step)", any.name, "\(any.byteCount)"] + times + [slowest(entries)]
  }

  /// Who came last, and how long after the first.
  private func slowest(_ entries: [FlightRecord.Entry?]) -> String {
    let arrived = zip(records, entries).compactMap { record, entry in
      entry.map { (rank: record.rank, time: $0.entered) }
    }
    guard arrived.count > 1, let first = arrived.min(by: { $0.time < $1.time }),
      let last = arrived.max(by: { $0.time < $1.time })
    else { return "-" }
    return "rank \(last.rank) +\(Self.milliseconds(last.time, after: first.time))"
  }

  private func lastWords(_ record: FlightRecord) -> String {
    let place = "rank \(record.rank) on \(record.hostName) (process \(record.processID))"
    guard let last = record.entries.last else { return "\(place): entered nothing" }
    let operation = "\(last.name), number \(last.number), step \(last.step)"
    let latest = records.compactMap { $0.entries.last.map { $0.left ?? $0.entered } }.max() ?? 0
    let before = Self.milliseconds(latest, after: last.left ?? last.entered)
    return last.left == nil
      ? "\(place): entered \(operation), \(before) ms before the last time recorded, and never left"
      : "\(place): left \(operation), \(before) ms before the last time recorded"
  }

  /// Ranks without a record, such as "ranks 2-4, 7". A damaged header may claim any number of ranks: they are not
  /// listed.
  private func missingRanks(_ rankCount: Int) -> String {
    var (gaps, next): ([String], Int) = ([], 0)
    for rank in records.map(\.rank) + [rankCount] {
      if rank == next + 1 { gaps.append("\(next)") }
      if rank > next + 1 { gaps.append("\(next)-\(rank - 1)") }
      next = rank + 1
    }
    guard !gaps.isEmpty else { return "" }
    return (gaps.count == 1 && !gaps[0].contains("-") ? "rank " : "ranks ")
      + gaps.joined(separator: ", ")
  }

  /// Nanoseconds between two times as milliseconds with three decimals; times of a broken clock may be anything.
  private static func milliseconds(_ time: Int, after origin: Int) -> String {
    ((Double(time) - Double(origin)) / 1e6).fixed(3)
  }

  /// Columns as wide as their widest cell; names to the left, numbers to the right.
  private func aligned(_ rows: [[String]]) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).enumerated().map { column, cell in
        let padding = String(repeating: " ", count: cell.1 - cell.0.count)
        if column == columns - 1 { return cell.0 }
        return column == 2 ? cell.0 + padding : padding + cell.0
      }.joined(separator: "  ")
    }
  }
}

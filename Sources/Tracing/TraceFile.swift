import Files
import FoundationEssentials
import Timelines

/// The trace of all ranks as JSON that ui.perfetto.dev and chrome://tracing open ("Trace Event Format"): a process a
/// rank, with a track of what its main thread does and one of the exchanges under way.
public struct TraceFile {
  public let traces: [RankTrace]
  public let summary: TraceSummary
  /// What wrote the trace.
  private let program: String

  public init(_ traces: [RankTrace], program: String) {
    self.traces = traces
    self.program = program
    summary = TraceSummary(traces)
  }

  /// Spans of all ranks.
  public var spanCount: Int { traces.reduce(0) { $0 + $1.spans.count } }

  /// Writes the file: whole, or not at all.
  /// - Throws: `FileError`.
  public func write(to path: String) throws {
    let origin = traces.flatMap(\.spans).map(\.begin).min() ?? 0
    try DurableFile.write(to: path) { writer in
      try writer.write("{\"otherData\":\(try Self.json(metadata)),\n\"displayTimeUnit\":\"ms\",\n")
      try writer.write("\"traceEvents\":[\n")
      for (index, trace) in traces.enumerated() {
        let lines = try headEvents(trace) + events(trace, origin: origin)
        try writer.write((index > 0 ? ",\n" : "") + lines.joined(separator: ",\n"))
      }
      try writer.write("\n]}\n")
    }
  }

  private enum Track: Int, CaseIterable {
    case work, exchanges

    var title: String {
      switch self {
      case .work: "main thread"
      case .exchanges: "exchanges under way"
      }
    }
  }

  /// What a rank and its tracks are called.
  private func headEvents(_ trace: RankTrace) throws -> [String] {
    func event(_ name: String, _ track: Track, _ value: String) -> String {
      "{\"ph\":\"M\",\"pid\":\(trace.rank),\"tid\":\(track.rawValue),\"name\":\"\(name)\",\"args\":{\(value)}}"
    }
    let tracks = try Track.allCases.flatMap { track in
      [
        event("thread_name", track, "\"name\":\(try Self.json(track.title))"),
        event("thread_sort_index", track, "\"sort_index\":\(track.rawValue)"),
      ]
    }
    return [
      event("process_name", .work, "\"name\":\(try Self.json(trace.title))"),
      event("process_sort_index", .work, "\"sort_index\":\(trace.rank)"),
    ] + tracks
  }

  private func events(_ trace: RankTrace, origin: Int) throws -> [String] {
    var labels: [Int: String] = [:]
    // Whoever contains another comes before it.
    let ordered = trace.spans.sorted { ($0.begin, $1.end) < ($1.begin, $0.end) }
    return try ordered.map { span in
      let track = span.kind == .interval ? Track.exchanges : .work
      // A name of a kind is encoded once.
      let key = span.name << 8 | Int(span.kind.rawValue)
      let label =
        try labels[key]
        ?? "\"name\":\(Self.json(trace.name(of: span))),\"cat\":\(Self.json(span.kind.title))"
      labels[key] = label
      return "{\"ph\":\"X\",\"pid\":\(trace.rank),\"tid\":\(track.rawValue),"
        + "\"ts\":\(Self.microseconds(span.begin - origin)),"
        + "\"dur\":\(Self.microseconds(span.end - span.begin)),\(label)}"
    }
  }

  /// Nanoseconds, not negative, as microseconds with three decimals.
  private static func microseconds(_ nanoseconds: Int) -> String {
    let (whole, rest) = max(nanoseconds, 0).quotientAndRemainder(dividingBy: 1000)
    return "\(whole).\(rest < 100 ? "0" : "")\(rest < 10 ? "0" : "")\(rest)"
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// What the file says beside the events; times in the units of their names, or milliseconds a step.
extension TraceFile {
  private struct Metadata: Encodable {
    struct Clock: Encodable {
      let rank: Int
      let host: String
      let offsetNanoseconds, uncertaintyNanoseconds: Int
    }
    let program: String
    let clocks: [Clock]
    let summary: TraceSummary
    let summaryLines: [String]
    let slowestRank: Int?
  }

  private var metadata: Metadata {
    Metadata(
      program: program,
      clocks: traces.map {
        .init(
          rank: $0.rank, host: $0.hostName, offsetNanoseconds: $0.clockOffset,
          uncertaintyNanoseconds: $0.clockUncertainty)
      },
      summary: summary, summaryLines: summary.lines, slowestRank: summary.slowest?.rank)
  }
}

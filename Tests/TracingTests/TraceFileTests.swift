import Files
import Foundation
import TestSupport
import Testing
import Timelines

@testable import Tracing

/// The file says what the ranks did, in JSON.
@Suite struct TraceFileTests {
  private let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  private func written(_ traces: [RankTrace]) throws -> [String: Any] {
    try TraceFile(traces, program: "a \"program\"").write(to: scratch.path("trace"))
    let json = try JSONSerialization.jsonObject(with: Data(contentsOf: scratch.url("trace")))
    return try #require(json as? [String: Any])
  }

  @Test func spansAreCompleteEvents() throws {
    let spans = [
      // Before the first step: not part of the trace.
      Timeline.Span(begin: 10, end: 20, kind: .product, name: -1),
      Timeline.Span(begin: 1_000, end: 1_000, kind: .product, name: -1),
      Timeline.Span(begin: 1_000, end: 2_000_007, kind: .waiting, name: 0),
      Timeline.Span(begin: 1_000, end: 3_000_000, kind: .step, name: 41),
      Timeline.Span(begin: 1_500, end: 2_500, kind: .interval, name: 0),
    ]
    let name = "a \"name\"\\ of\u{1}노드"
    let json = try written([
      RankTrace(rank: 3, hostName: "h\"", spans: spans, names: [name], clockOffset: -500)
    ])
    let all = try #require(json["traceEvents"] as? [[String: Any]])
    let events = all.filter { $0["ph"] as? String == "X" }
    // Whoever contains another comes first.
    #expect(
      events.map { $0["name"] as? String } == ["step 41", "waiting: \(name)", "product", name])
    #expect(events.map { $0["ts"] as? Double } == [0, 0, 0, 0.5])
    #expect(events.map { $0["dur"] as? Double } == [2999, 1999.007, 0, 1])
    #expect(events.map { $0["tid"] as? Int } == [0, 0, 0, 1])
    #expect(events.allSatisfy { $0["pid"] as? Int == 3 })
    let names = all.filter { $0["name"] as? String == "process_name" }
    #expect(names.count == 1)
    #expect((names[0]["args"] as? [String: Any])?["name"] as? String == "rank 3 on h\"")
    let metadata = try #require(json["otherData"] as? [String: Any])
    #expect(metadata["program"] as? String == "a \"program\"")
    let clocks = try #require(metadata["clocks"] as? [[String: Any]])
    #expect(clocks.map { $0["offsetNanoseconds"] as? Int } == [-500])
  }

  @Test func spansTravelAsNumbers() {
    let spans = Timeline.Kind.allCases.enumerated().map {
      Timeline.Span(begin: $0, end: .max - $0, kind: $1, name: $0 - 1)
    }
    let again = RankTrace.spans(from: RankTrace.numbers(of: spans))
    #expect(again.count == spans.count)
    for (span, expected) in zip(again, spans) {
      #expect(span.begin == expected.begin && span.end == expected.end)
      #expect(span.kind == expected.kind && span.name == expected.name)
    }
    #expect(RankTrace.spans(from: [1, 2, 3]).isEmpty)
  }

  @Test func aFileThatCannotBeWrittenIsAnError() {
    #expect(throws: FileError.self) {
      try TraceFile([], program: "").write(to: scratch.path("nowhere/trace"))
    }
  }
}

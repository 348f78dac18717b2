import Foundation
import TestSupport
import Testing

/// `gan-dist --trace FILE`.
@Suite(.serialized) struct TraceTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder
  private let data: [String]

  init() throws {
    scratch = try TemporaryFolder()
    try SmallDataSet.write(to: scratch.url("data"))
    data = ["--data", scratch.path("data")]
  }

  private struct Event {
    let phase, name, category: String
    let rank, track: Int
    let begin, end: Double

    init?(_ json: [String: Any]) {
      guard let phase = json["ph"] as? String, let name = json["name"] as? String,
        let rank = json["pid"] as? Int, let track = json["tid"] as? Int
      else { return nil }
      (self.phase, self.name, self.rank, self.track) = (phase, name, rank, track)
      category = json["cat"] as? String ?? ""
      begin = json["ts"] as? Double ?? 0
      end = begin + (json["dur"] as? Double ?? 0)
    }
  }

  private func train(
    ranks: Int, _ arguments: [String], out: String = "run", trace: String? = nil
  ) throws -> Command {
    let tracing = trace.map { ["--trace", scratch.path($0)] } ?? []
    return try Command.mpirun(
      ranks: ranks, program, data + arguments + tracing + ["--out", scratch.path(out)],
      timeLimit: 60)
  }

  private func events(_ name: String) throws -> (all: [Event], metadata: [String: Any]) {
    let json = try JSONSerialization.jsonObject(with: Data(contentsOf: scratch.url(name)))
    let trace = try #require(json as? [String: Any])
    let list = try #require(trace["traceEvents"] as? [[String: Any]])
    let all = list.compactMap(Event.init)
    #expect(all.count == list.count)
    return (all, try #require(trace["otherData"] as? [String: Any]))
  }

  private func digest(_ run: String, step: Int) throws -> String {
    let path = scratch.path("\(run)/checkpoints/step_0000000\(step).safetensors")
    return try Command.run([program, "inspect", "--digest", path]).output
  }

  /// Six steps of two ranks, three of them traced: all is there, in its place, and the result is the one without a
  /// trace.
  @Test func aTraceTellsWhatTheRanksDid() throws {
    let options = ["--max-steps", "6", "--batch-size", "32"]
    let job = try train(
      ranks: 2, options + ["--trace-after", "2", "--trace-steps", "3"], trace: "trace.json")
    try #require(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("trace of steps 2 to 4: "), "\(job.transcript)")
    let (all, metadata) = try events("trace.json")
    let spans = all.filter { $0.phase == "X" }
    #expect(Set(spans.map(\.rank)) == [0, 1])
    for rank in 0..<2 {
      let own = spans.filter { $0.rank == rank }
      #expect(own.filter { $0.category == "step" }.map(\.name) == ["step 2", "step 3", "step 4"])
      let names = Set(own.filter { $0.track == 0 }.map(\.name))
      for name in [
        "real images", "noise and masks", "losses", "G.0 forward", "D(real, fake).0 update",
        "G.9 backward", "product", "sum", "Adam", "random numbers", "element-wise loop",
        "waiting: G.1.forward", "waiting: D.rows", "waiting: G.update",
      ] { #expect(names.contains(name), "\(name) of \(names.sorted())") }
      // Each exchange of a step once a step.
      let exchanges = own.filter { $0.track == 1 }.map(\.name)
      for name in Set(exchanges) { #expect(exchanges.filter { $0 == name }.count == 3, "\(name)") }
      #expect(Set(exchanges).isSuperset(of: ["D.rows", "D.update", "G.rows", "G.update"]))
      for track in 0..<2 { expectNested(own.filter { $0.track == track }) }
    }
    let heads = all.filter { $0.phase == "M" }
    #expect(heads.filter { $0.name == "process_name" }.map(\.rank) == [0, 1])
    // One clock: a step is over on no rank before all have begun it.
    for name in ["step 2", "step 3", "step 4"] {
      let steps = spans.filter { $0.name == name }
      #expect(steps.allSatisfy { a in steps.allSatisfy { b in a.begin < b.end } })
    }
    #expect((metadata["clocks"] as? [Any])?.count == 2)
    #expect((metadata["summaryLines"] as? [String])?.last?.hasPrefix("slowest: rank ") == true)

    let untraced = try train(ranks: 2, options, out: "untraced")
    #expect(untraced.status == 0, "\(untraced.transcript)")
    #expect(try digest("run", step: 6) == digest("untraced", step: 6))
  }

  /// In the order of the file, each event lies within the last one that is not over.
  private func expectNested(_ events: [Event]) {
    // Times are nanoseconds written as microseconds.
    let rounding = 1e-4
    var open: [Event] = []
    for event in events {
      while let last = open.last, event.begin >= last.end - rounding, event.end > last.end {
        open.removeLast()
      }
      if let last = open.last {
        #expect(
          event.begin >= last.begin - rounding && event.end <= last.end + rounding,
          "\(event) in \(last)")
      }
      open.append(event)
    }
    #expect(!events.isEmpty)
  }

  /// One block of rows for two ranks: the second one has it.
  @Test func theSlowestRankIsNamed() throws {
    let job = try train(
      ranks: 2,
      [
        "--max-steps", "9", "--batch-size", "8", "--trace-after", "2", "--trace-steps", "7",
      ], trace: "trace.json")
    try #require(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("slowest: rank 1 on "), "\(job.transcript)")
    #expect(try events("trace.json").metadata["slowestRank"] as? Int == 1)
  }

  @Test func aRunThatEndsEarlyWritesWhatThereIs() throws {
    let job = try train(ranks: 2, ["--max-steps", "3", "--trace-after", "0"], trace: "trace.json")
    #expect(job.status == 0 && job.output.contains("trace of steps 0 to 2"), "\(job.transcript)")
    let steps = try events("trace.json").all.filter { $0.category == "step" }
    #expect(steps.count == 6)
    // From the first step on.
    #expect(steps.map(\.begin).min() == (try events("trace.json").all.map(\.begin).min()))
  }

  @Test func aRunThatEndsBeforeSaysSo() throws {
    let job = try train(ranks: 2, ["--max-steps", "3"], trace: "trace.json")
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.errors.contains("no trace: the run took 3 steps"), "\(job.transcript)")
    #expect(!FileManager.default.fileExists(atPath: scratch.path("trace.json")))
  }

  @Test func aStoppedRunWritesWhatThereIs() throws {
    let table = scratch.path("run/metrics.csv")
    let command = """
      mpirun --oversubscribe -np 2 \(program) --data \(scratch.path("data")) --trace-after 1 --trace-steps 1000 \
      --epochs 100000 --trace \(scratch.path("trace.json")) --out \(scratch.path("run")) &
      job=$!
      until test "$(grep -c ^ \(table))" -gt 2; do kill -0 $job || break; sleep 0.05; done 2> /dev/null
      kill -USR1 $job
      wait $job
      """
    let job = try Command.run(["bash", "-c", command], timeLimit: 60)
    #expect(job.status == 143, "\(job.transcript)")
    #expect(job.output.contains("trace of steps 1 to "), "\(job.transcript)")
    let steps = try events("trace.json").all.filter { $0.category == "step" }
    #expect(steps.filter { $0.rank == 0 }.count == steps.filter { $0.rank == 1 }.count)
  }

  @Test(arguments: ["nowhere/trace.json", "data"])
  func aFileThatCannotBeWrittenEndsTheRunAtOnce(name: String) throws {
    let job = try train(ranks: 3, [], trace: name)
    #expect(job.status == 73, "\(job.transcript)")
    let message = "gan-dist: error: cannot write \(scratch.path(name)): "
    #expect(job.errors.components(separatedBy: message).count == 2, "\(job.transcript)")
    #expect(job.seconds < 20)
    #expect(!FileManager.default.fileExists(atPath: scratch.path("run/config.json")))
    #expect(!FileManager.default.fileExists(atPath: scratch.path("\(name).part")))
  }
}

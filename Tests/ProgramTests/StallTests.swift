import Foundation
import TestSupport
import Testing

/// Ranks that stop, hang or come late while the others wait for them.
@Suite(.serialized) struct StallTests {
  private let program = BuiltProgram.path("gan-dist")
  private let checks = BuiltProgram.path("mpi-checks")
  private let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  /// Starts three ranks of gan-dist, sends a signal to one, waits for the end and says which ranks are left.
  private func train(_ options: String, signal: String, rank: Int) throws -> Command {
    // A flight record holds its rank's process number at byte 20.
    let command = """
      mpirun --oversubscribe -np 3 \(program) --quiet --out \(scratch.path("run")) \(options) &
      job=$!
      for i in $(seq 400); do test -e \(scratch.path("run"))/samples/epoch_0000.png && break; sleep 0.05; done
      # Steps are taken when the record changes all the time.
      record() { cksum <\(scratch.path("run"))/flight-record/rank_0000.bin; }
      for i in $(seq 100); do
        first=$(record); sleep 0.1; second=$(record); sleep 0.1; third=$(record)
        test "$first" != "$second" && test "$second" != "$third" && break
      done
      for rank in 0 1 2; do
        process[rank]=$(od -An -tu4 -j20 -N4 \(scratch.path("run"))/flight-record/rank_000$rank.bin | tr -d ' ')
      done
      kill -\(signal) ${process[\(rank)]} || exit 99
      wait $job
      status=$?
      running() {
        for it in "${process[@]}"; do grep -q '^State:.[RSDT]' /proc/$it/status 2>/dev/null && echo $it; done
      }
      for i in $(seq 50); do test -z "$(running)" && break; sleep 0.1; done
      test -z "$(running)" || { echo "ranks $(running) are left"; kill -KILL $(running); }
      exit $status
      """
    return try Command.run(["bash", "-c", command], timeLimit: 90)
  }

  private func once(_ part: String, in text: String) -> Bool {
    text.components(separatedBy: part).count == 2
  }

  @Test(arguments: [0, 1])
  func aStoppedRankIsNamedAndTheJobEnds(rank: Int) throws {
    let job = try train("--stall-timeout 3", signal: "STOP", rank: rank)
    #expect(job.status == 75, "\(job.transcript)")
    #expect(job.output.isEmpty, "\(job.transcript)")
    #expect(job.seconds < 60)
    let missing = try Regex(
      #"missing: rank \#(rank) on \S+: entered [GD]\S+ of step [0-9]+ last, [0-9.]+ s ago,"#
        + #" .* \(flight record\)"#)
    #expect(job.errors.matches(of: missing).count == 1, "\(job.transcript)")
    let waiting = try Regex(#"waiting: rank.* in [GD]\S+ of step [0-9]+"#)
    #expect(job.errors.contains(waiting))
    #expect(once("1 rank is missing", in: job.errors))
    #expect(job.errors.contains("(rank \(rank == 0 ? 1 : 0) on "))
  }

  @Test func aKilledRunLeavesATable() throws {
    let job = try train("", signal: "KILL", rank: 2)
    #expect(job.status == 137, "\(job.transcript)")
    let table = try Command.run([program, "flight-record", scratch.path("run"), "--last", "5"])
    #expect(table.status == 0 && table.errors.isEmpty, "\(table.transcript)")
    let lines = table.output.split(separator: "\n")
    #expect(lines.count == 11, "\(table.transcript)")
    #expect(lines[2].hasPrefix("number") && lines[2].contains("rank 2"))
    for rank in 0..<3 { #expect(lines[8 + rank].hasPrefix("rank \(rank) on ")) }
    let folder = try Command.run([program, "flight-record", scratch.path("run/flight-record")])
    #expect(folder.status == 0)

    // One of the files is broken: the others are shown.
    let file = scratch.path("run/flight-record/rank_0001.bin")
    #expect(truncate(file, 1000) == 0)
    let broken = try Command.run([program, "flight-record", scratch.path("run")])
    #expect(broken.status == 65)
    #expect(broken.errors.contains("\(file): at byte 1000: "), "\(broken.transcript)")
    #expect(broken.output.contains("rank 2 on ") && broken.output.contains("of rank 1\n"))
  }

  @Test func noFlightRecordIsMissingInput() throws {
    for folder in [scratch.folder.path, scratch.path("nowhere")] {
      let job = try Command.run([program, "flight-record", folder])
      #expect(job.status == 66 && job.output.isEmpty, "\(job.transcript)")
      #expect(job.errors.split(separator: "\n").count == 1 && job.errors.contains(folder))
    }
  }

  /// A record is a help, not a condition.
  @Test func withoutAFlightRecordTheRunGoesOn() throws {
    let run = scratch.url("run")
    try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
    try Data().write(to: run.appendingPathComponent("flight-record"))
    let job = try Command.mpirun(ranks: 2, program, ["--max-steps", "2", "--out", run.path])
    #expect(job.status == 0, "\(job.transcript)")
    #expect(once("warning: no flight record of rank 0: ", in: job.errors), "\(job.transcript)")
    #expect(once("warning: no flight record of rank 1: ", in: job.errors))
  }

  @Test func aTimeoutThatCannotBeIsBadUsage() throws {
    for timeout in ["-1", "nan", "1e7"] {
      let job = try Command.run([program, "--stall-timeout=\(timeout)"], in: scratch.folder)
      #expect(job.status == 64 && job.errors.contains("--stall-timeout must be from 0"))
    }
  }

  /// What the messages tell of missing ranks, without their flight records.
  static let places = [
    (
      missing: "1", place: "forward", entered: "update of step 1",
      waiting: "ranks 0, 2-3 in layer.forward"
    ),
    (
      missing: "0 2", place: "backward", entered: "layer.forward of step 2",
      waiting: "ranks 1, 3 in layer.backward"
    ),
    (
      missing: "0", place: "update", entered: "layer.backward of step 2",
      waiting: "ranks 1-3 in update"
    ),
  ]

  @Test(arguments: places.indices)
  func theLastExchangeOfAMissingRankFollowsFromTheOthers(index: Int) throws {
    let (missing, place, entered, waiting) = Self.places[index]
    let ranks = missing.split(separator: " ").map(String.init)
    let job = try Command.mpirun(
      ranks: 4, checks, ["stall", "1", place] + ranks, timeLimit: 40)
    #expect(job.status == 75, "\(job.transcript)")
    #expect(job.seconds < 20)
    for rank in ranks {
      let part = "missing: rank \(rank) on "
      #expect(once(part, in: job.errors), "\(job.transcript)")
      let line = job.errors.split(separator: "\n").first { $0.contains(part) } ?? ""
      #expect(line.hasSuffix("entered \(entered) last, as far as others know"), "\(line)")
    }
    #expect(once("waiting: \(waiting) of step 2", in: job.errors))
  }

  /// Sooner than the timeout; later, but before the others have asked for long enough; and later than these would wait
  /// if an old question made a rank ask again.
  @Test(arguments: [["2", "1", "1.5"], ["1", "3"], ["6", "7", "5.7"]])
  func aLateRankHarmsNothing(seconds: [String]) throws {
    let job = try Command.mpirun(ranks: 2, checks, ["late"] + seconds, timeLimit: 60)
    #expect(job.status == 0 && job.errors.isEmpty, "\(job.transcript)")
  }

  @Test func ranksInUnlikeExchangesAreToldApart() throws {
    let job = try Command.mpirun(ranks: 3, checks, ["disorder"], timeLimit: 40)
    #expect(job.status == 75, "\(job.transcript)")
    #expect(once("all ranks wait for each other", in: job.errors))
    #expect(job.errors.contains("layer.forward") && job.errors.contains("layer.backward"))
  }
}

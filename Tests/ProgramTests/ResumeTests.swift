import Foundation
import Matrices
import TestSupport
import Testing

/// A run that is interrupted goes on as if nothing had happened.
@Suite(.serialized) struct ResumeTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder

  init() throws {
    scratch = try TemporaryFolder()
    try SmallDataSet.write(to: scratch.url("data"))
    common = [
      "--data", scratch.path("data"), "--batch-size", "20", "--epochs", "2", "--quiet",
      "--threads", "1",
    ]
  }

  /// 200 steps: two epochs of 100.
  private let common: [String]

  @discardableResult
  private func train(
    _ run: String, ranks: Int = 1, _ options: [String] = [], expecting status: Int32 = 0,
    begun: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Command {
    // A run that was begun before knows its settings.
    let common = begun ? ["--data", scratch.path("data")] : common
    let job = try Command.mpirun(
      ranks: ranks, program, common + options + ["--out", scratch.path(run)], timeLimit: 90)
    try #require(job.status == status, "\(job.transcript)", sourceLocation: sourceLocation)
    return job
  }

  private func checkpoint(_ run: String, step: Int = 200) -> String {
    scratch.path(run + "/checkpoints/step_" + String(format: "%08d", step) + ".safetensors")
  }

  private func digest(_ run: String, step: Int = 200) throws -> String {
    let inspection = try Command.run([program, "inspect", "--digest", checkpoint(run, step: step)])
    try #require(inspection.status == 0, "\(inspection.transcript)")
    try #require(inspection.output.count == 65)
    return inspection.output
  }

  /// The table without its columns of times.
  private func table(_ run: String) throws -> [String] {
    let rows = try String(contentsOf: scratch.url(run + "/metrics.csv"), encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: ",").prefix(6).joined(separator: ",") }
    try #require(rows.count > 1)
    return rows
  }

  /// The checkpoint has the weights that are trained, and remembers in which numbers they are multiplied.
  @Test(.enabled(if: Machine.multipliesBFloat16, "needs AVX-512 BF16"))
  func aBFloat16RunGoesOnBitForBit() throws {
    try train("whole", ["--precision", "bfloat16"])
    try train("exact", [])
    try train(
      "parts", ranks: 2, ["--precision", "bfloat16", "--max-steps", "30"])
    try train("parts", ["--resume", "latest", "--max-steps", "200"], begun: true)
    #expect(try digest("parts") == digest("whole"))
    #expect(try digest("parts") != digest("exact"))
  }

  @Test(arguments: [1, 2])
  func aRunGoesOnBitForBit(ranks: Int) throws {
    try train("whole", ranks: ranks)
    for steps in ["30", "100", "130"] {
      // Within the first epoch, between the epochs, within the second.
      try train("parts", ranks: ranks, ["--max-steps", steps, "--resume", "latest"])
    }
    try train("parts", ranks: ranks, ["--resume", "latest"])
    #expect(try digest("parts") == digest("whole"))
    #expect(try table("parts") == table("whole"))
    #expect(
      try Data(contentsOf: scratch.url("parts/generator.safetensors"))
        == Data(contentsOf: scratch.url("whole/generator.safetensors")))
  }

  @Test func anotherNumberOfRanksGoesOnBitForBit() throws {
    try train("one", ranks: 1)
    try train("more", ranks: 2, ["--max-steps", "90"])
    try train("more", ranks: 3, ["--resume", "latest"])
    #expect(try digest("more") == digest("one"))
    #expect(try table("more") == table("one"))
    // The comparison sees other bits.
    let steps = [checkpoint("one"), checkpoint("more")]
    #expect(try Command.run([program, "compare"] + steps).status == 0)
    try train("other", ranks: 1, ["--seed", "3"])
    #expect(try digest("other") != digest("one"))
    #expect(try Command.run([program, "compare", steps[0], checkpoint("other")]).status == 1)
  }

  @Test func aRunWithoutCheckpointsBeginsAgain() throws {
    let job = try Command.run(
      [program] + common + [
        "--max-steps", "3", "--resume", "latest", "--out", scratch.path("run"),
      ])
    #expect(job.status == 0, "\(job.transcript)")
    #expect(
      try String(contentsOf: scratch.url("run/log.txt"), encoding: .utf8)
        .contains("has no checkpoint to go on from"))
  }

  @Test func aDamagedCheckpointIsPassedOver() throws {
    try train("whole")
    try train("run", ["--checkpoint-every-steps", "50", "--max-steps", "150"])
    let file = scratch.url("run/checkpoints/step_00000150.safetensors")
    var bytes = try Data(contentsOf: file)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: file)
    let inspection = try Command.run([program, "inspect", file.path])
    #expect(inspection.status == 65, "\(inspection.transcript)")
    #expect(inspection.errors.contains("damaged"))

    let job = try train("run", ["--resume", "latest", "--max-steps", "200"], begun: true)
    #expect(job.errors.contains("damaged and passed over"), "\(job.transcript)")
    #expect(job.output.contains("goes on after step 100"))
    #expect(try digest("run") == digest("whole"))
  }

  @Test func aRunWhoseCheckpointsAreAllDamagedIsNotBegunAnew() throws {
    try train("run", ["--max-steps", "30"])
    for step in [0, 30] {
      let file = URL(fileURLWithPath: checkpoint("run", step: step))
      try Data(contentsOf: file).prefix(1_000_000).write(to: file)
    }
    let rows = try table("run")
    try train("run", ["--resume", "latest"], expecting: 65)
    #expect(try table("run") == rows)
  }

  /// What a run wrote after the step that it goes on from is another run's: `latest` must not take it.
  @Test func laterCheckpointsAreSetAside() throws {
    try train("run", ["--checkpoint-every-steps", "10", "--max-steps", "30"])
    try train("run", ["--max-steps", "15", "--resume", checkpoint("run", step: 10)])
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path("run/checkpoints"))
    #expect(names.contains("step_00000030.safetensors.abandoned"), "\(names)")
    try train("run", ["--max-steps", "16", "--resume", "latest"])
    #expect(try digest("run", step: 16).count == 65)
  }

  @Test func anotherRunsFolderIsNotForked() throws {
    try train("a", ["--max-steps", "3"])
    try train("b", ["--max-steps", "2"])
    let before = try Data(contentsOf: scratch.url("b/config.json"))
    let job = try train("b", ["--resume", checkpoint("a", step: 3)], expecting: 73)
    #expect(job.errors.contains("it holds another run"))
    #expect(try Data(contentsOf: scratch.url("b/config.json")) == before)
  }

  /// A run that ended within an epoch keeps that epoch's row and its pictures when there is nothing left to do.
  @Test func aRunThatIsOverStaysAsItIs() throws {
    try train("run", ["--max-steps", "130"])
    let rows = try table("run")
    let first = try Data(contentsOf: scratch.url("run/samples/epoch_0000.png"))
    try train("run", ["--max-steps", "130", "--resume", "latest"])
    #expect(try table("run") == rows)
    #expect(rows.count == 3)
    #expect(try Data(contentsOf: scratch.url("run/samples/epoch_0000.png")) == first)
  }

  /// Epochs of another length: the one that is not over ends where it is.
  @Test func anotherBatchSizeBeginsTheNextEpoch() throws {
    try train("run", ["--max-steps", "130"])
    let options = ["--batch-size", "40", "--override", "--epochs", "4", "--quiet"]
    try train("run", options + ["--resume", "latest"], begun: true)
    let steps = try table("run").dropFirst().map {
      $0.split(separator: ",").prefix(2).joined(separator: ",")
    }
    #expect(steps == ["1,100", "2,30", "3,50", "4,50"])
  }

  @Test func onlyTheNewestCheckpointsAreKept() throws {
    try train("run", ["--checkpoint-every-steps", "20", "--keep-checkpoints", "2"])
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path("run/checkpoints"))
    #expect(names.sorted() == ["step_00000180.safetensors", "step_00000200.safetensors"])
  }

  @Test func anEpochsCheckpointIsDueEveryFewEpochs() throws {
    try train("run", ["--checkpoint-every", "1", "--max-steps", "150"])
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path("run/checkpoints"))
    #expect(
      names.sorted() == [
        "step_00000000.safetensors", "step_00000100.safetensors", "step_00000150.safetensors",
      ])
  }

  /// Another setting is refused by its name, on all ranks at once.
  @Test(
    arguments: [
      ["--batch-size", "30"], ["--seed", "9"], ["--learning-rate", "0.001"], ["--beta1", "0.9"],
      ["--dropout", "0.5"], ["--label-smoothing", "0"], ["--batch-size-per-rank", "7"],
    ])
  func anotherSettingIsRefusedUnlessOverridden(option: [String]) throws {
    try demandRefusalUnlessOverridden(option)
  }

  @Test(.enabled(if: Machine.multipliesBFloat16, "needs AVX-512 BF16"))
  func anotherPrecisionIsRefusedUnlessOverridden() throws {
    try demandRefusalUnlessOverridden(["--precision", "bfloat16"])
  }

  private func demandRefusalUnlessOverridden(_ option: [String]) throws {
    try train("run", ["--max-steps", "2"])
    let options = ["--quiet", "--max-steps", "4", "--resume", "latest"] + option
    let refused = try train("run", ranks: 2, options, expecting: 64, begun: true)
    #expect(refused.errors.contains("error: \(option[0]) is "), "\(refused.transcript)")
    #expect(refused.errors.contains("--override"))
    try train("run", ranks: 2, options + ["--override"], begun: true)
  }

  @Test func theSameSettingsMayBeGivenAgain() throws {
    try train("run", ["--max-steps", "2"])
    try train(
      "run", ["--max-steps", "4", "--resume", "latest", "--seed", "0", "--learning-rate", "1e-4"])
  }

  @Test func aCheckpointMayBeNamed() throws {
    try train("run", ["--max-steps", "30"])
    // Its run folder follows from its place; another --out makes a new run of it.
    let here = try Command.run(
      [
        program, "--data", scratch.path("data"), "--quiet", "--threads", "1", "--max-steps", "40",
        "--resume",
        checkpoint("run", step: 30),
      ])
    #expect(here.status == 0, "\(here.transcript)")
    try train("fork", ["--max-steps", "40", "--resume", checkpoint("run", step: 30)])
    #expect(try digest("fork", step: 40) == digest("run", step: 40))
    let missing = try train(
      "other", ["--resume", scratch.path("none.safetensors")], expecting: 66)
    #expect(missing.errors.contains("none.safetensors"))
  }

  @Test func twoRunsDoNotShareAFolder() throws {
    let command = """
      \(program) --data \(scratch.path("data")) --epochs 2000 --quiet --threads 1 \\
        --out \(scratch.path("run")) & first=$!
      for i in $(seq 400); do test -e \(scratch.path("run"))/samples/epoch_0000.png && break; sleep 0.02; done
      \(program) --data \(scratch.path("data")) --quiet --max-steps 1 --resume latest \\
        --out \(scratch.path("run")); status=$?
      kill -TERM $first; wait $first
      exit $status
      """
    let job = try Command.run(["bash", "-c", command], timeLimit: 60)
    #expect(job.status == 73, "\(job.transcript)")
    #expect(job.errors.contains("another gan-dist (process "))
  }

  /// Signals to mpirun reach all ranks; they stop after the same step, with a checkpoint to go on from. (For SIGTERM
  /// mpirun has a status of its own.)
  @Test(arguments: [("USR1", 143), ("TERM", 1)])
  func aStopLeavesACheckpoint(signal: String, status: Int32) throws {
    let endless = common + ["--epochs", "2000", "--out", scratch.path("run")]
    let command = """
      mpirun --oversubscribe -np 2 \(program) \(endless.joined(separator: " ")) & job=$!
      for i in $(seq 400); do test -e \(scratch.path("run"))/samples/epoch_0000.png && break; sleep 0.02; done
      sleep 0.2
      kill -\(signal) $job
      wait $job
      """
    let job = try Command.run(["bash", "-c", command], timeLimit: 60)
    #expect(job.status == status, "\(job.transcript)")
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path("run/checkpoints"))
    let stopped = try #require(
      names.compactMap { Int($0.dropFirst("step_".count).prefix(8)) }.max(), "\(job.transcript)")
    // From where it stopped it goes where a run goes that was never stopped.
    let goal = ["--max-steps", "\(stopped + 20)", "--epochs", "2000"]
    try train("run", ranks: 2, goal + ["--resume", "latest"])
    try train("whole", ranks: 2, goal)
    #expect(try digest("run", step: stopped + 20) == digest("whole", step: stopped + 20))
  }

  /// The launcher turns a signal into a stop of all ranks, and tells by its status which signal it was.
  @Test(arguments: [("INT", 130), ("TERM", 143)])
  func theLauncherStopsTheJob(signal: String, status: Int32) throws {
    let train = Repository.folder.appendingPathComponent("launch/train").path
    let options = common + ["--epochs", "2000", "--out", scratch.path("run")]
    // A shell in the background ignores SIGINT, and so do its children: set that right first.
    let command = """
      env --default-signal=INT \
        \(train) -np 2 \(options.joined(separator: " ")) & job=$!
      for i in $(seq 400); do test -e \(scratch.path("run"))/samples/epoch_0000.png && break; sleep 0.02; done
      sleep 0.3
      kill -\(signal) $job
      wait $job
      """
    let job = try Command.run(
      ["bash", "-c", command], environment: ["GAN_DIST_PROGRAM": program], timeLimit: 60)
    #expect(job.status == status, "\(job.transcript)")
    #expect(job.errors.contains("the ranks save a checkpoint first"))
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path("run/checkpoints"))
    #expect(names.count == 2 && names.contains("step_00000000.safetensors"), "\(names)")
  }

  /// A short version of the survival test: see Tests/survival.
  @Test func killedRunsEndInTheSameState() throws {
    let script = Repository.folder.appendingPathComponent("Tests/survival/kill-and-resume.sh").path
    let job = try Command.run([script, program, "5"], timeLimit: 300)
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("kill-and-resume: passed: 5 kills"))
    print(job.output)
  }

  @Test func theSupervisorGivesUpOnWhatCannotGetBetter() throws {
    let train = Repository.folder.appendingPathComponent("launch/train").path
    for (option, status) in [("--dropout=2", 64), ("--data=/nonexistent", 66)] {
      let job = try Command.run(
        [train, "-np", "2", "--restarts", "3", option, "--out", scratch.path("run")],
        environment: ["GAN_DIST_PROGRAM": program], timeLimit: 60)
      #expect(job.status == Int32(status), "\(job.transcript)")
      #expect(!job.errors.contains("restart 1"))
    }
  }

  /// A disk that fills up while checkpoints are written: status 73, and the last whole one stays.
  @Test(.enabled(if: Machine.mountsMemory, "needs mount namespaces"))
  func aFullDiskKeepsTheLastCheckpoint() throws {
    let unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    // Room for two checkpoints of 13 MB and a half: of the first state, and of step 20.
    let command = """
      mount -t tmpfs -o size=34m none \(scratch.folder.path)
      mpirun --oversubscribe -np 2 \(program) --quiet --threads 1 --checkpoint-every-steps 20 --max-steps 100 \
        --out \(scratch.path("run")); status=$?
      ls \(scratch.path("run"))/checkpoints
      \(program) inspect --digest \(checkpoint("run", step: 20)) || exit 1
      exit $status
      """
    let job = try Command.run(unshare + ["bash", "-c", command], timeLimit: 60)
    #expect(job.status == 73, "\(job.transcript)")
    #expect(job.errors.contains("No space left on device"))
    #expect(
      job.output.hasPrefix("step_00000000.safetensors\nstep_00000020.safetensors\n"),
      "\(job.transcript)")
  }
}

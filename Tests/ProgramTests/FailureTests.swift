import Foundation
import TestSupport
import Testing

/// Whatever goes wrong: one clear message, the right exit status, and no rank left behind.
@Suite(.serialized) struct FailureTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  /// Starts three ranks, and expects a status and a message that is said once, within seconds.
  private func expectFailure(
    _ arguments: [String], status: Int32, says parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let job = try Command.mpirun(ranks: 3, program, arguments, timeLimit: 60)
    #expect(job.status == status, "\(job.transcript)", sourceLocation: sourceLocation)
    for part in parts {
      #expect(
        job.errors.components(separatedBy: part).count == 2,
        "\"\(part)\" once in \(job.transcript)", sourceLocation: sourceLocation)
    }
    #expect(job.seconds < 20, sourceLocation: sourceLocation)
    #expect(!job.errors.contains("Fatal error"), sourceLocation: sourceLocation)
  }

  private func out(_ name: String = "run") -> [String] { ["--out", scratch.path(name)] }

  static let nonsense: [(option: [String], says: String)] = [
    (["--epochs=-1"], "--epochs must be from 0 to 4294967296"),
    (["--epochs=many"], "The value 'many' is invalid for '--epochs <n>'"),
    (["--max-steps=-5"], "--max-steps must be from 0 to 4294967296"),
    (["--batch-size", "1"], "--batch-size must be at least 2"),
    (["--batch-size-per-rank", "0"], "--batch-size-per-rank must be at least 1"),
    (["--batch-size", "8", "--batch-size-per-rank", "8"], "exclude each other"),
    (["--learning-rate", "0"], "--learning-rate must be a positive number"),
    (["--learning-rate", "nan"], "--learning-rate must be a positive number"),
    (["--beta1", "1"], "--beta1 must be in 0 ..< 1"),
    (["--beta2", "2"], "--beta2 must be in 0 ..< 1"),
    (["--label-smoothing", "1.5"], "--label-smoothing must be in 0 ..< 1"),
    (["--dropout", "1"], "--dropout must be in 0 ..< 1"),
    (["--seed=-1"], "The value '-1' is invalid for '--seed <n>'"),
    (["--sample-every=-1"], "--sample-every must be at least 0"),
    (["--checkpoint-every=-1"], "--checkpoint-every must be at least 0"),
    (["--checkpoint-every-steps=-1"], "--checkpoint-every-steps must be at least 0"),
    (["--keep-checkpoints", "0"], "--keep-checkpoints must be at least 1"),
    (["--stall-timeout=-1"], "--stall-timeout must be from 0"),
    (["--resume", "latest"], "--resume latest needs the folder of the run"),
    (["--override"], "--override is for a resumed run"),
    (["--threads", "0"], "--threads must be from 1 to 1024"),
    (["--trace", ""], "--trace needs the name of a file"),
    (["--trace-steps", "5"], "go with --trace FILE"),
    (["--trace", "trace.json", "--trace-steps", "0"], "--trace-steps must be from 1 to 1000"),
    (["--trace", "trace.json", "--trace-after=-1"], "--trace-after must be from 0 to 4294967296"),
    (["--quiet", "--verbose"], "--quiet and --verbose exclude each other"),
    (["--no-such-option"], "Unknown option '--no-such-option'"),
    (["nonsense"], "Unexpected argument 'nonsense'"),
  ]

  @Test(arguments: nonsense)
  func nonsenseIsBadUsage(option: [String], says: String) throws {
    // Alone: the message; it comes before MPI starts, so MPI's own words are not in it.
    let folder = option.contains("latest") ? [] : out()
    let alone = try Command.run([program] + option + folder, timeLimit: 20)
    #expect(alone.status == 64, "\(alone.transcript)")
    #expect(alone.errors.contains(says), "\(alone.transcript)")
    #expect(!FileManager.default.fileExists(atPath: scratch.path("run")))
  }

  @Test func ranksSpeakOfBadUsageOnce() throws {
    try expectFailure(["--dropout", "1"] + out(), status: 64, says: "--dropout must be in 0 ..< 1")
  }

  @Test func aBatchLargerThanTheDataIsBadUsage() throws {
    try expectFailure(
      ["--batch-size", "60001"] + out(), status: 64,
      says: "--batch-size is 60001, more than the 60000 images")
  }

  @Test func moreStepsThanThereAreRandomNumbersAreBadUsage() throws {
    try expectFailure(
      ["--epochs", "4294967296"] + out(), status: 64, says: "more than the 2^32 steps")
  }

  /// Whoever reads the output may go away.
  @Test func aReaderThatGoesAwayIsNoFailure() throws {
    let command =
      "\(program) --max-steps 30 --out \(scratch.path("run")) | head -n 1; exit ${PIPESTATUS[0]}"
    let job = try Command.run(["bash", "-c", command], timeLimit: 30)
    #expect(job.status == 0, "\(job.transcript)")
    #expect(FileManager.default.fileExists(atPath: scratch.path("run/generator.safetensors")))
  }

  @Test func aMissingFolderIsMissingInput() throws {
    try expectFailure(
      ["--data", scratch.path("nowhere")] + out(), status: 66, says: "nowhere: no such folder")
  }

  @Test func anEmptyFolderIsMissingInput() throws {
    try expectFailure(["--data", scratch.folder.path] + out(), status: 66, says: "has neither")
  }

  @Test func truncatedDataIsBadData() throws {
    let source = URL(fileURLWithPath: "/usr/share/datasets/fashion-mnist")
    let folder = scratch.url("data")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"] {
      let whole = try Data(contentsOf: source.appendingPathComponent(name))
      let kept = name.contains("images") ? whole.count / 2 : whole.count
      try whole.prefix(kept).write(to: folder.appendingPathComponent(name))
    }
    try expectFailure(
      ["--data", folder.path] + out(), status: 65, says: "train-images-idx3-ubyte.gz: at byte")
  }

  @Test func aFileInPlaceOfTheRunFolderCannotBeWritten() throws {
    try Data("x".utf8).write(to: scratch.url("file"))
    try expectFailure(
      ["--out", scratch.path("file/run")], status: 73, says: "cannot write \(scratch.path("file"))")
  }

  @Test func anotherRunIsNotOverwritten() throws {
    let options = ["--max-steps", "1", "--quiet"] + out()
    #expect(try Command.run([program] + options).status == 0)
    let before = try Data(contentsOf: scratch.url("run/metrics.csv"))
    try expectFailure(options, status: 73, says: "it holds another run")
    #expect(try Data(contentsOf: scratch.url("run/metrics.csv")) == before)
  }

  @Test func aRunFolderThatVanishesEndsTheRun() throws {
    // The first epoch's grid has nowhere to go.
    let command = """
      mpirun --oversubscribe -np 2 \(program) --epochs 50 --batch-size 30000 --sample-every 1 \\
        --out \(scratch.path("run")) &
      job=$!
      for i in $(seq 1200); do test -e \(scratch.path("run"))/samples/epoch_0001.png && break; sleep 0.05; done
      rm -rf \(scratch.path("run"))
      wait $job
      """
    let job = try Command.run(["bash", "-c", command], timeLimit: 120)
    #expect(job.status == 73, "\(job.transcript)")
    #expect(job.errors.contains("gan-dist: error: "))
    #expect(job.errors.contains("No such file or directory"))
  }

  @Test func aKilledRankTakesTheOthersWithIt() throws {
    let command = """
      mpirun --oversubscribe -np 3 \(program) --quiet --out \(scratch.path("run")) &
      job=$!
      for i in $(seq 200); do test -e \(scratch.path("run"))/samples/epoch_0000.png && break; sleep 0.05; done
      sleep 0.5
      ranks=$(pgrep -P $job -f 'gan-dist --quiet')
      kill -KILL $(echo "$ranks" | tail -n 1)
      wait $job
      status=$?
      running() { for rank in $ranks; do grep -q '^State:.[RSD]' /proc/$rank/status 2>/dev/null && echo $rank; done; }
      for i in $(seq 50); do test -z "$(running)" && break; sleep 0.1; done
      test -z "$(running)" || echo "ranks $(running) are left"
      exit $status
      """
    let job = try Command.run(["bash", "-c", command], timeLimit: 60)
    #expect(job.status == 137, "\(job.transcript)")
    #expect(job.output.isEmpty)
    #expect(job.seconds < 20)
  }
}

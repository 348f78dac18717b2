import Foundation
import TestSupport
import Testing

/// Numbers, sizes and resources at their limits: a message and a status, never the end of the process by itself.
@Suite(.serialized) struct LimitTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  private func expectEnd(
    _ job: Command, status: Int32, says parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(job.status == status, "\(job.transcript)", sourceLocation: sourceLocation)
    for part in parts {
      #expect(
        job.errors.contains(part), "\"\(part)\" in \(job.transcript)",
        sourceLocation: sourceLocation)
    }
    for trap in ["Fatal error", "Backtrac", "Segmentation", "Illegal instruction"] {
      #expect(!job.errors.contains(trap), "\(job.transcript)", sourceLocation: sourceLocation)
    }
  }

  // MARK: Options

  static let numbers: [(option: [String], says: String)] = [
    (["--seed", "-1"], "--seed must be at least 0, a whole number below 2^64."),
    (["--seed", "18446744073709551616"], "--seed must be at least 0, a whole number below 2^64."),
    (["--learning-rate", "-1e-4"], "--learning-rate must be a positive number."),
    (["--learning-rate", "0x1p-4"], "--learning-rate must be a positive number."),
    (["--learning-rate", "1e400"], "--learning-rate must be a positive number."),
    (["--beta1", "-0.5"], "--beta1 must be in 0 ..< 1."),
    (["--beta2", "inf"], "--beta2 must be in 0 ..< 1."),
    (["--label-smoothing", "-1"], "--label-smoothing must be in 0 ..< 1."),
    (["--dropout", "-0.1"], "--dropout must be in 0 ..< 1."),
    (["--epochs", "-5"], "--epochs must be from 0 to 4294967296, a whole number."),
    (["--epochs", "1e3"], "--epochs must be from 0 to 4294967296, a whole number."),
    (["--epochs", "0x10"], "--epochs must be from 0 to 4294967296, a whole number."),
    (["--epochs", "+5"], "--epochs must be from 0 to 4294967296, a whole number."),
    (["--max-steps", "9223372036854775808"], "--max-steps must be from 0 to 4294967296"),
    (["--batch-size", "-2"], "--batch-size must be at least 2 (one row has no variance)"),
    (["--batch-size-per-rank", "-2"], "--batch-size-per-rank must be at least 1"),
    (["--sample-every", "-2"], "--sample-every must be at least 0"),
    (["--checkpoint-every", "-2"], "--checkpoint-every must be at least 0"),
    (["--checkpoint-every-steps", "-2"], "--checkpoint-every-steps must be at least 0"),
    (["--keep-checkpoints", "-2"], "--keep-checkpoints must be at least 1"),
    (["--stall-timeout", "-2"], "--stall-timeout must be from 0 to 1e6 seconds."),
    (["--threads", "-2"], "--threads must be from 1 to 1024"),
    (
      ["--trace", "t.json", "--trace-after", "9223372036854775807"],
      "--trace-after must be from 0 to 4294967296"
    ),
    (["--trace", "t.json", "--trace-steps", "-1"], "--trace-steps must be from 1 to 1000"),
    (["bench", "--steps", "10000000000"], "--steps must be from 1 to 100000"),
    (["bench", "--steps", "9223372036854775807"], "--steps must be from 1 to 100000"),
    (["bench", "--steps", "-1"], "--steps must be from 1 to 100000"),
    (["bench", "--warm-up", "9223372036854775807"], "--warm-up must be from 0 to 1000000000"),
    (["flight-record", ".", "--last", "-1"], "--last must be at least 0"),
    (
      ["generate", "--checkpoint", "x", "--out", "x.png", "--count", "-3"],
      "--count must be from 1 to 1000000"
    ),
    (
      ["generate", "--checkpoint", "x", "--out", "x.png", "--seed", "-3"],
      "--seed must be at least 0"
    ),
  ]

  @Test(arguments: numbers)
  func aNumberOutOfItsRangeIsToldTheRange(option: [String], says: String) throws {
    expectEnd(try Command.run([program] + option, timeLimit: 20), status: 64, says: says)
  }

  @Test func theLargestNumbersOfBatchesAreNoTrap() throws {
    for (option, says) in [
      ("--batch-size", "--batch-size is \(Int.max), more than the 60000 images"),
      ("--batch-size-per-rank", "--batch-size-per-rank \(Int.max) is too many"),
    ] {
      let job = try Command.run(
        [program, option, "\(Int.max)", "--out", scratch.path("run")], timeLimit: 60)
      expectEnd(job, status: 64, says: says)
    }
  }

  // MARK: Memory

  /// A training pair of zeros; returns its folder.
  /// - Parameter content: whether anything stands behind the headers.
  private func writePair(images: Int, height: Int, width: Int, content: Bool = true) throws
    -> String
  {
    let folder = scratch.url("data")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, fields, count) in [
      ("train-labels-idx1-ubyte", [0x801, images], images),
      ("train-images-idx3-ubyte", [0x803, images, height, width], images * height * width),
    ] {
      let header = fields.reduce(into: Data()) { data, field in
        withUnsafeBytes(of: UInt32(field).bigEndian) { data.append(contentsOf: $0) }
      }
      try (header + Data(count: content ? count : 0)).write(
        to: folder.appendingPathComponent(name))
    }
    return folder.path
  }

  @Test(arguments: [1, 2])
  func imagesThatNoMemoryIsEnoughForAreToldBeforeTraining(ranks: Int) throws {
    let data = try writePair(images: 4, height: 2000, width: 2000)
    let job = try Command.mpirun(
      ranks: ranks, "bash",
      [
        "-c",
        "ulimit -v 8000000; exec \(program) --data \(data) --batch-size 4 --out \(scratch.path("run"))",
      ], timeLimit: 60)
    expectEnd(
      job, status: 69, says: "no memory for ", "wanted for training with 4000000 pixels an image")
    #expect(job.seconds < 30)
  }

  @Test func moreImagesThanCanBeShuffledAreBadData() throws {
    let data = try writePair(images: 1 << 31, height: 1, width: 1, content: false)
    let job = try Command.run(
      [program, "--data", data, "--out", scratch.path("run")], timeLimit: 20)
    expectEnd(job, status: 65, says: "expected at most 2147483647 labels", "found 2147483648")
  }

  @Test func imagesThatCannotBeDrawnAreToldBeforeTraining() throws {
    let data = try writePair(images: 2, height: 1, width: 8192)
    let job = try Command.run(
      [
        program, "--data", data, "--batch-size", "2", "--max-steps", "1", "--out",
        scratch.path("run"),
      ], timeLimit: 60)
    expectEnd(job, status: 65, says: "images of 1 x 8192 pixels", "at most 4000 pixels a side")
  }

  /// From too little to start MPI to nearly enough for the batch. The sanitizers' builds need more by themselves.
  @Test(arguments: [120_000, 250_000, 400_000, 500_000])
  func tooLittleMemoryIsTold(kilobytes: Int) throws {
    let job = try Command.run(
      [
        "bash", "-c",
        """
        ulimit -v \(kilobytes)
        exec \(program) --threads 1 --batch-size 20000 --max-steps 1 --quiet --out \(scratch.path("run"))
        """,
      ], timeLimit: 60)
    expectEnd(job, status: 69, says: "no memory for ")
  }

  @Test func tooFewThreadsAreTold() throws {
    // Every thread has a stack of its own, of 8 MB as a rule.
    let job = try Command.run(
      [
        "bash", "-c",
        """
        ulimit -s 8192 -v 2000000
        exec \(program) --threads 1024 --max-steps 1 --quiet --out \(scratch.path("run"))
        """,
      ], timeLimit: 60)
    expectEnd(job, status: 69, says: "1024 threads are wanted, but the system gives ")
  }

  // MARK: Size of files

  @Test func aLimitOfTheSizeOfFilesIsToldAndLeavesNoParts() throws {
    let job = try Command.run(
      [
        "bash", "-c",
        "ulimit -f 1000; exec \(program) --max-steps 1 --quiet --out \(scratch.path("run"))",
      ], timeLimit: 60)
    expectEnd(job, status: 73, says: "step_00000000.safetensors", "File too large")
    try expectNoParts()
  }

  @Test func aLimitOfTheSizeOfATraceIsToldAndLeavesNoParts() throws {
    // Checkpoints of such small images fit in, the spans of so many steps do not.
    let data = try writePair(images: 64, height: 4, width: 4)
    let job = try Command.run(
      [
        "bash", "-c",
        """
        ulimit -f 4200
        exec \(program) --data \(data) --max-steps 600 --epochs 600 --batch-size 16 \
          --checkpoint-every 0 --trace \(scratch.path("trace.json")) --trace-after 0 --trace-steps 600 \
          --quiet --out \(scratch.path("run"))
        """,
      ], timeLimit: 110)
    expectEnd(job, status: 73, says: "trace.json", "File too large")
    try expectNoParts()
  }

  private func expectNoParts() throws {
    let files = FileManager.default.enumerator(atPath: scratch.folder.path)
    let names = files?.compactMap { $0 as? String } ?? []
    #expect(!names.contains { $0.hasSuffix(".part") }, "\(names)")
  }
}

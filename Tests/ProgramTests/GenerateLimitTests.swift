import Foundation
import TestSupport
import Testing

/// `gan-dist generate` looks at everything before it computes anything.
@Suite(.serialized) struct GenerateLimitTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder
  private let checkpoint: String

  init() throws {
    scratch = try TemporaryFolder()
    let job = try Command.run([
      program, "--quiet", "--max-steps", "1", "--out", scratch.path("run"),
    ])
    try #require(job.status == 0, "\(job.transcript)")
    checkpoint = scratch.path("run/checkpoints/step_00000001.safetensors")
  }

  private func generate(
    _ arguments: [String], limit: String = "", from file: String? = nil
  ) throws -> Command {
    try Command.run(
      [
        "bash", "-c", "\(limit.isEmpty ? "" : "ulimit \(limit); ")exec \"$@\"", "generate", program,
        "generate", "--checkpoint", file ?? checkpoint,
      ] + arguments, timeLimit: 60)
  }

  @Test func moreImagesThanAPictureHoldsAreBadUsage() throws {
    let job = try generate(["--count", "100000", "--out", scratch.path("x.png")])
    #expect(job.status == 64, "\(job.transcript)")
    #expect(
      job.errors.contains("a picture has room for at most 79,524 of 28 x 28 pixels"),
      "\(job.transcript)")
  }

  /// A million images would take more than the memory that there is: what is said of `--out` shows what was looked at
  /// first.
  @Test(arguments: ["missing/x.npy", "folder.npy"])
  func whatCannotBeWrittenIsNotComputed(name: String) throws {
    try FileManager.default.createDirectory(
      at: scratch.url("folder.npy"), withIntermediateDirectories: true)
    let job = try generate(
      ["--count", "1000000", "--out", scratch.path(name)], limit: "-v 1000000")
    #expect(job.status == 73, "\(job.transcript)")
    #expect(job.errors.contains("cannot write \(scratch.path(name))"), "\(job.transcript)")
  }

  @Test func tooLittleMemoryIsTold() throws {
    let job = try generate(
      ["--count", "1000000", "--out", scratch.path("x.npy")], limit: "-v 1000000")
    #expect(job.status == 69, "\(job.transcript)")
    #expect(job.errors.contains("no memory for 3136000000 bytes"), "\(job.transcript)")
    #expect(!job.errors.contains("Fatal error"))
  }

  @Test(arguments: ["x.npy", "x.png"])
  func aLimitOfTheSizeOfFilesIsToldAndLeavesNoParts(name: String) throws {
    let job = try generate(["--count", "1000", "--out", scratch.path(name)], limit: "-f 100")
    #expect(job.status == 73, "\(job.transcript)")
    #expect(job.errors.contains("File too large"), "\(job.transcript)")
    let left = try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path)
    #expect(left == ["run"])
  }

  @Test(arguments: [
    (Float.nan, "nan at [1, 1]"), (.infinity, "inf at [1, 1]"), (-.infinity, "-inf at [1, 1]"),
  ])
  func noiseThatIsNoNumberIsBadData(odd: Float, says: String) throws {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 64), }"
    let padded = header + String(repeating: " ", count: 117 - header.count) + "\n"
    var values = [Float](repeating: 0, count: 128)
    values[65] = odd
    let file =
      Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0, 118, 0]) + Data(padded.utf8)
      + values.withUnsafeBytes { Data($0) }
    try file.write(to: scratch.url("noise.npy"))
    let job = try generate(
      ["--noise", scratch.path("noise.npy"), "--out", scratch.path("x.npy")])
    #expect(job.status == 65, "\(job.transcript)")
    #expect(job.errors.contains(says), "\(job.transcript)")
  }

  /// A checkpoint with one weight of G set to NaN, and without a digest that would tell.
  private func checkpointWithNaN() throws -> String {
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: checkpoint)))
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = String(decoding: bytes[8..<8 + length], as: UTF8.self)
    let digest = try #require(header.firstMatch(of: #/"content_sha256":"([0-9a-f]{64})",?/#))
    let blanks = String(repeating: " ", count: digest.0.count)
    bytes.replaceSubrange(
      8..<8 + length, with: Array(header.replacing(digest.0, with: blanks).utf8))
    let place = try #require(
      header.firstMatch(of: #/"generator.3.weight":\{[^}]*"data_offsets":\[([0-9]+),/#))
    let begin = 8 + length + (try #require(Int(place.1)))
    withUnsafeBytes(of: Float.nan.bitPattern.littleEndian) {
      bytes.replaceSubrange(begin + 8..<begin + 12, with: $0)
    }
    try Data(bytes).write(to: scratch.url("nan.safetensors"))
    return scratch.path("nan.safetensors")
  }

  @Test func weightsThatAreNoNumbersAreBadData() throws {
    let file = try checkpointWithNaN()
    let says = "found nan as element 2 of \"generator.3.weight\""
    let images = try generate(["--out", scratch.path("x.png")], from: file)
    #expect(images.status == 65 && images.errors.contains(says), "\(images.transcript)")
    let run = try Command.mpirun(
      ranks: 2, program,
      ["--resume", file, "--epochs", "1", "--max-steps", "2", "--out", scratch.path("resumed")],
      timeLimit: 60)
    #expect(run.status == 65 && run.errors.contains(says), "\(run.transcript)")
  }
}

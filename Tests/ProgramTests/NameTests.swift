import Foundation
import TestSupport
import Testing

/// Names that are no text, and names that do something to a terminal.
@Suite(.serialized) struct NameTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder

  init() throws {
    scratch = try TemporaryFolder()
    try SmallDataSet.write(to: scratch.url("data"))
  }

  /// Runs a line of bash in the scratch folder; `$0` is the program.
  private func bash(_ line: String, environment: [String: String] = [:]) throws -> Command {
    try Command.run(
      ["bash", "-c", line, program], environment: environment, in: scratch.folder)
  }

  @Test(arguments: [
    #""$0" --max-steps 1 --data data --out $'out\xff'"#, #""$0" --data $'\xe9' --out out"#,
    #""$0" --resume $'\xff' --out out"#, #""$0" inspect $'a\xc3'"#,
    #""$0" compare data/train-images-idx3-ubyte $'\xed\xa0\x80'"#, #""$0" flight-record $'\xff'"#,
    #""$0" generate --checkpoint $'\xff' --out a.png"#, #""$0" bench --data=$'\xff'"#,
    #""$0" $'--ver\xffsion'"#, #""$0" --help $'\xff'"#,
  ])
  func anArgumentThatIsNotTextIsRefused(line: String) throws {
    let job = try bash(line)
    #expect(job.status == 64, "\(job.transcript)")
    #expect(job.errors.contains("is not UTF-8: "))
    #expect(job.errors.contains("\\x"))
    #expect(job.output == "")
    let left = try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path)
    #expect(left == ["data"])
  }

  @Test func itIsSaidOnce() throws {
    let job = try bash(#"mpirun --oversubscribe -np 3 "$0" --data data --out $'a\xff'"#)
    #expect(job.status == 64, "\(job.transcript)")
    #expect(job.errors.components(separatedBy: "is not UTF-8: a\\xff").count == 2)
  }

  @Test func aFolderOfTheEnvironmentMustBeText() throws {
    let line = #"mv data $'data\xff'; GAN_DIST_DATA=$'data\xff' "$0" --max-steps 1 --out out"#
    let job = try bash(line)
    #expect(job.status == 64, "\(job.transcript)")
    #expect(job.errors.contains(#"GAN_DIST_DATA is not UTF-8: data\xff"#))
    // Where it is not needed it is not asked for.
    let other = try bash(#"GAN_DIST_DATA=$'\xff' "$0" --version"#)
    #expect(other.status == 0)
  }

  /// A folder for shared memory is the one of exactly these bytes.
  @Test func theFolderOfSharedMemoryNeedsNoName() throws {
    let job = try bash(
      #"""
      mkdir $'shm\xff' && export OMPI_MCA_osc_sm_backing_directory=$PWD/$'shm\xff' &&
      mpirun --oversubscribe -np 2 "$0" --max-steps 1 --data data --out out
      """#)
    #expect(job.status == 0, "\(job.transcript)")
    #expect(!job.errors.contains("keeps the data set by itself"), "\(job.transcript)")
  }

  /// The data that are there are trained on, wherever "there" is.
  @Test func aWorkingFolderNeedsNoName() throws {
    let job = try bash(
      #"""
      mkdir -p $'work\xff/data' && mv data $'work\xff/data/fashion-mnist' && cd $'work\xff' &&
      "$0" --max-steps 1 --out out && test -s out/generator.safetensors &&
      "$0" inspect out/generator.safetensors && "$0" flight-record out &&
      "$0" --max-steps 1 --data data/fashion-mnist --out out2
      """#)
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("2,000 images"), "\(job.transcript)")
  }

  /// A letter in two spellings is two names, and neither is repaired.
  @Test func accentsStayAsTheyAre() throws {
    for name in ["\u{E9}", "e\u{301}", "a/\u{301}b", "x\u{301}/y"] {
      let job = try Command.run(
        [program, "--quiet", "--max-steps", "1", "--data", "data", "--out", name],
        in: scratch.folder)
      #expect(job.status == 0, "\(job.transcript)")
      #expect(access(scratch.folder.path + "/" + name + "/config.json", F_OK) == 0)
    }
  }

  // MARK: Text from files

  private static let evil = "a\u{1B}[2J\u{9B}31m\u{202E}\nOK: all is well\r\u{7}"
  private static let shown = #"a\u{1b}[2J\u{9b}31m\u{202e}\nOK: all is well\r\u{7}"#

  /// A sound file of one tensor and one entry, of any names.
  private func write(_ file: String, tensor: String, byte: UInt8 = 0) throws {
    let names = try [tensor, Self.evil].map {
      String(decoding: try JSONEncoder().encode($0), as: UTF8.self)
    }
    let header =
      "{\"__metadata__\":{\(names[1]):\(names[1])},"
      + "\(names[0]):{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}"
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
    try (length + Data(header.utf8) + Data([byte])).write(to: scratch.url(file))
  }

  private func expectHarmless(_ job: Command, status: Int32) {
    #expect(job.status == status, "\(job.transcript)")
    let text = (job.output + job.errors).unicodeScalars
    #expect(
      text.contains { $0.value < 0x20 && $0 != "\n" || $0 == "\u{9B}" || $0 == "\u{202E}" } == false
    )
    #expect(!(job.output + job.errors).contains("\nOK: all is well"))
  }

  @Test func namesInAFileCannotActOnTheTerminal() throws {
    try write("a", tensor: Self.evil)
    try write("b", tensor: Self.evil, byte: 1)
    try write("c", tensor: "other")
    let inspection = try Command.run([program, "inspect", scratch.path("a")])
    expectHarmless(inspection, status: 0)
    #expect(inspection.output.contains("  \(Self.shown): \(Self.shown)\n"))
    #expect(inspection.output.contains("  \(Self.shown)  U8 [1]\n"))
    for other in ["b", "c"] {
      let comparison = try Command.run([program, "compare", scratch.path("a"), scratch.path(other)])
      expectHarmless(comparison, status: 1)
      #expect(comparison.output.contains(Self.shown))
    }
    // As a generator it lacks the tensors; what it has is not trusted either.
    let job = try Command.run([
      program, "generate", "--checkpoint", scratch.path("a"), "--out", scratch.path("a.png"),
    ])
    expectHarmless(job, status: 65)
  }

  /// Two names that read alike are two tensors.
  @Test func namesAreComparedByTheirBytes() throws {
    try write("a", tensor: "\u{E9}")
    try write("b", tensor: "e\u{301}")
    let job = try Command.run([program, "compare", scratch.path("a"), scratch.path("b")])
    #expect(job.status == 1, "\(job.transcript)")
    #expect(job.output.components(separatedBy: "only in").count == 3)
  }

  @Test func namesOfFilesCannotActOnTheTerminal() throws {
    let path = scratch.path(Self.evil)
    expectHarmless(try Command.run([program, "inspect", path]), status: 66)
    expectHarmless(try Command.run([program, "flight-record", path]), status: 66)
    expectHarmless(
      try Command.run([program, "--data", path, "--out", "out"], in: scratch.folder), status: 66)
    try write(Self.evil, tensor: "a")
    expectHarmless(try Command.run([program, "inspect", path]), status: 0)
    expectHarmless(
      try Command.run([program, "--data", "data", "--out", path], in: scratch.folder), status: 73)
  }

  @Test func theLogCannotBeForged() throws {
    let job = try Command.run(
      [program, "--max-steps", "1", "--data", "data", "--out", Self.evil], in: scratch.folder)
    expectHarmless(job, status: 0)
    let log = try String(contentsOfFile: scratch.path("\(Self.evil)/log.txt"), encoding: .utf8)
    #expect(log.contains(Self.shown))
    #expect(!log.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\r" || $0 == "\u{202E}" })
    #expect(!log.contains("\nOK: all is well"))
  }
}

import Foundation
import TestSupport
import Testing

/// Standard streams that are full, closed, without reader, or do not wait.
@Suite(.serialized) struct StreamTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder
  /// The arguments of each command whose output is its result.
  private let commands: [[String]]

  init() throws {
    scratch = try TemporaryFolder()
    try SmallDataSet.write(to: scratch.url("data"))
    let job = try Command.run([
      program, "--quiet", "--max-steps", "1", "--data", scratch.path("data"), "--out",
      scratch.path("run"),
    ])
    try #require(job.status == 0, "\(job.transcript)")
    let generator = scratch.path("run/generator.safetensors")
    commands = [
      ["inspect", generator],
      ["inspect", "--digest", scratch.path("run/checkpoints/step_00000001.safetensors")],
      ["compare", generator, generator], ["flight-record", scratch.path("run")],
      ["bench", "--json", "--steps", "1", "--warm-up", "0", "--data", scratch.path("data")],
      ["--help"], ["--version"], ["help", "inspect"], ["train", "--help"],
      ["--generate-completion-script", "bash"],
    ]
  }

  /// Runs the program with its streams redirected by a shell.
  private func run(_ arguments: [String], _ redirections: String) throws -> Command {
    try Command.run(
      ["bash", "-c", "cd \"$1\" && shift && exec \"$@\" \(redirections)", "bash"]
        + [scratch.folder.path, program] + arguments)
  }

  @Test func aResultThatCannotBeWrittenIsAnError() throws {
    for arguments in commands {
      let full = try run(arguments, "> /dev/full")
      #expect(full.status == 73, "\(arguments) \(full.transcript)")
      #expect(full.errors.contains("cannot write to standard output: No space left on device"))
      let closed = try run(arguments, ">&-")
      #expect(closed.status == 73, "\(arguments) \(closed.transcript)")
      #expect(closed.errors.contains("cannot write to standard output: it is closed"))
      let readOnly = try run(arguments, "1< /dev/null")
      #expect(readOnly.status == 73, "\(arguments) \(readOnly.transcript)")
    }
  }

  @Test func aReaderThatLeftIsToldNothing() throws {
    for arguments in commands {
      // A pipe that has lost its reader.
      let job = try Command.run(
        [
          "bash", "-c",
          "rm -f pipe && mkfifo pipe && exec 3<>pipe 4>pipe 3<&- && exec \"$@\" >&4", "bash",
          program,
        ] + arguments, in: scratch.folder)
      #expect(job.status == 73, "\(arguments) \(job.transcript)")
      #expect(job.errors == "", "\(arguments)")
    }
  }

  /// A pipe that says "try again" is waited for.
  @Test func aFullPipeIsWaitedFor() throws {
    for arguments in [commands[0], ["--help"]] {
      let expected = try Command.run([program] + arguments).output
      let pipe = Pipe()
      let (reader, writer) = (
        pipe.fileHandleForReading.fileDescriptor, pipe.fileHandleForWriting.fileDescriptor
      )
      #expect(fcntl(writer, F_SETFL, O_NONBLOCK) == 0)
      let block = [UInt8](repeating: UInt8(ascii: "#"), count: 4096)
      while write(writer, block, block.count) > 0 {}
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
      process.standardOutput = pipe
      process.standardError = FileHandle.nullDevice
      try process.run()
      try pipe.fileHandleForWriting.close()
      // Time to find the pipe full. Without it the test could only be too kind.
      // A pipe without writers ends the wait.
      var ended = pollfd(fd: reader, events: 0, revents: 0)
      _ = poll(&ended, 1, 500)
      let text = String(
        decoding: try #require(try pipe.fileHandleForReading.readToEnd()), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      #expect(text.drop { $0 == "#" } == expected[...])
    }
  }

  /// What the program says gets into no file, whichever streams it was started without.
  @Test(arguments: [">&-", "2>&-", "<&-", "<&- >&-", "<&- >&- 2>&-", "> /dev/full 2>&1"])
  func aRunGoesOnWithoutATerminal(redirections: String) throws {
    let out = "out-\(redirections.utf8.count)-\(redirections.filter { $0 == "-" }.count)"
    let job = try run(
      ["--max-steps", "2", "--data", "data", "--out", out, "--verbose"], redirections)
    #expect(job.status == 0, "\(job.transcript)")
    let lock = try String(contentsOfFile: scratch.path("\(out)/run.lock"), encoding: .utf8)
    #expect(lock.wholeMatch(of: #/process \d+ on [^ \n]+/#) != nil, "\(lock)")
    let log = try String(contentsOfFile: scratch.path("\(out)/log.txt"), encoding: .utf8)
    let lines = log.split(separator: "\n")
    #expect(lines.contains { $0.contains("done: 2 steps") })
    #expect(lines.allSatisfy { $0.prefixMatch(of: #/\d{4}-\d\d-\d\dT/#) != nil }, "\(log)")
    let record = try Command.run([program, "flight-record", scratch.path(out)])
    #expect(record.status == 0, "\(record.transcript)")
  }

  @Test func anErrorWithoutATerminalIsStillAnError() throws {
    let job = try run(["inspect", "nowhere"], "<&- >&- 2>&-")
    #expect(job.status == 66)
  }
}

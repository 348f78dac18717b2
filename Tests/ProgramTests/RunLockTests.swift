import Foundation
import TestSupport
import Testing

/// run.lock, and what may stand in its place.
@Suite(.serialized) struct RunLockTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder

  init() throws {
    scratch = try TemporaryFolder()
    try SmallDataSet.write(to: scratch.url("data"))
    try FileManager.default.createDirectory(
      at: scratch.url("run"), withIntermediateDirectories: false)
  }

  private func train(environment: [String: String] = [:]) throws -> Command {
    try Command.run(
      [program, "--max-steps", "1", "--data", "data", "--out", "run"], environment: environment,
      in: scratch.folder)
  }

  @Test func aLinkInItsPlaceLeadsNowhere() throws {
    try Data("precious".utf8).write(to: scratch.url("precious"))
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("run/run.lock"), withDestinationPath: scratch.path("precious"))
    let job = try train()
    #expect(job.status == 73, "\(job.transcript)")
    #expect(job.errors.contains("run/run.lock: it is a symbolic link"))
    #expect(try Data(contentsOf: scratch.url("precious")) == Data("precious".utf8))
  }

  @Test func itsOwnerCannotActOnTheTerminal() throws {
    let text = "process 1 on \u{1B}[2Jhere\nOK"
    let lock = scratch.path("run/run.lock")
    try Data(text.utf8).write(to: scratch.url("run/run.lock"))
    let file = open(lock, O_RDONLY)
    defer { close(file) }
    #expect(flock(file, LOCK_EX | LOCK_NB) == 0)
    let job = try train()
    #expect(job.status == 73, "\(job.transcript)")
    #expect(job.errors.contains(#"another gan-dist (process 1 on \u{1b}[2Jhere\nOK) is writing"#))
    #expect(!job.errors.contains("\u{1B}"))
    #expect(try Data(contentsOf: scratch.url("run/run.lock")) == Data(text.utf8))
  }

  /// The log is opened at once, whatever stands in its place.
  @Test func aPipeInPlaceOfTheLogIsAnError() throws {
    #expect(mkfifo(scratch.path("run/log.txt"), 0o600) == 0)
    let job = try train()
    #expect(job.status == 73, "\(job.transcript)")
    #expect(job.errors.contains("run/log.txt"))
    var status = stat()
    #expect(lstat(scratch.path("run/log.txt"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
  }

  private static let hasCompiler = (try? Command.run(["clang", "--version"]))?.status == 0

  /// As on Lustre, or on NFS without its lock daemon.
  @Test(
    .enabled(if: hasCompiler, "a library that takes the place of flock needs clang"),
    arguments: ["ENOLCK", "ENOSYS", "EOPNOTSUPP", "EINVAL"])
  func aFileSystemWithoutLocksIsWarnedOf(code: String) throws {
    let source = "#include <errno.h>\nint flock(int f, int o) { errno = \(code); return -1; }\n"
    try Data(source.utf8).write(to: scratch.url("flock.c"))
    let library = scratch.path("flock.so")
    let build = try Command.run([
      "clang", "-shared", "-fPIC", "-o", library, scratch.path("flock.c"),
    ])
    try #require(build.status == 0, "\(build.transcript)")
    let job = try train(environment: ["LD_PRELOAD": library])
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.errors.components(separatedBy: "run cannot be locked (").count == 2)
    #expect(job.errors.contains("no other gan-dist writes to it"))
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path("run"))
    #expect(names.contains("generator.safetensors"))
    #expect(!names.contains { $0.hasSuffix(".part") })
  }
}

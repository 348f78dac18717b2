import Foundation

/// A program run to its end, with a time limit.
public struct Command {
  public let status: Int32
  public let output: String
  public let errors: String
  public let seconds: Double

  /// Status of a program that was still running at the time limit (timeout(1)).
  public static let timedOut: Int32 = 124

  /// Runs a program; its standard input is empty.
  public static func run(
    _ arguments: [String], environment: [String: String] = [:], timeLimit: Int = 120,
    in folder: URL? = nil
  ) throws -> Command {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // The threads that run tests block all signals, and what they start would inherit that.
    process.arguments =
      ["--default-signal", "timeout", "-k", "10", "\(timeLimit)"] + arguments
    var all = ProcessInfo.processInfo.environment
    all["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    all["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    process.environment = all.merging(environment) { _, new in new }
    if let folder { process.currentDirectoryURL = folder }
    // Files, not pipes: a pipe that nobody reads while the program runs would stop it.
    let scratch = try TemporaryFolder()
    let (outputURL, errorURL) = (scratch.url("output"), scratch.url("errors"))
    for url in [outputURL, errorURL] { try Data().write(to: url) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: outputURL)
    process.standardError = try FileHandle(forWritingTo: errorURL)
    let start = Date()
    try process.run()
    process.waitUntilExit()
    return Command(
      status: process.terminationStatus,
      output: String(decoding: try Data(contentsOf: outputURL), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errorURL), as: UTF8.self),
      seconds: Date().timeIntervalSince(start))
  }

  /// Runs a program of this package on several ranks of this host.
  public static func mpirun(
    ranks: Int, _ program: String, _ arguments: [String], environment: [String: String] = [:],
    timeLimit: Int = 120, in folder: URL? = nil
  ) throws -> Command {
    try run(
      ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "\(ranks)", program] + arguments,
      environment: environment, timeLimit: timeLimit, in: folder)
  }

  /// Everything that was said, for a failed expectation.
  public var transcript: String {
    "status \(status) after \(seconds) s\n--- output\n\(output)\n--- errors\n\(errors)"
  }
}

/// The programs that were built beside the tests.
public enum BuiltProgram {
  public static func path(_ name: String) -> String {
    URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0])
      .resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent(name).path
  }
}

/// A folder of its own, gone with the object.
public final class TemporaryFolder {
  public let folder: URL

  public init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("gan-dist-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  public func url(_ name: String) -> URL { folder.appendingPathComponent(name) }
  public func path(_ name: String) -> String { url(name).path }
}

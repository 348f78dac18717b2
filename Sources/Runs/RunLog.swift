import Files
import Logging

/// The run's log: to the terminal as much as the user wants, to log.txt everything.
package struct RunLog {
  package enum Verbosity {
    case quiet, normal, verbose

    var level: Logger.Level {
      switch self {
      case .quiet: .error
      case .normal: .info
      case .verbose: .debug
      }
    }
  }

  package let logger: Logger
  let verbosity: Verbosity
  /// The live line; nil where there is no terminal or nothing to be said.
  let liveLine: LiveLine?

  /// - Throws: `RunFolderError` if log.txt cannot be written.
  init(folder: RunFolder, verbosity: Verbosity) throws {
    let file = try folder.appendableFile("log.txt")
    let liveLine = verbosity == .quiet ? nil : LiveLine()
    logger = Logger(label: "gan-dist") { _ in
      MultiplexLogHandler([
        FileLogHandler(file: file),
        TerminalLogHandler(logLevel: verbosity.level, liveLine: liveLine),
      ])
    }
    self.verbosity = verbosity
    self.liveLine = liveLine
  }
}

extension LogEvent {
  /// The message on one line: names in it may hold anything.
  fileprivate var line: String { "\(message)".escapedForTerminal }
}

/// Plain lines for people; warnings and errors to standard error.
private struct TerminalLogHandler: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  let liveLine: LiveLine?

  init(logLevel: Logger.Level, liveLine: LiveLine?) {
    self.logLevel = logLevel
    self.liveLine = liveLine
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    guard event.level >= logLevel else { return }
    liveLine?.clear()
    if event.level >= .warning {
      Console.error.say("gan-dist: \(event.level): \(event.line)\n")
    } else {
      Console.output.say("\(event.line)\n")
    }
  }
}

/// Every line with the time and the level. What cannot be written is lost here: the run's other files notice a
/// full disk, and they stop the run.
private struct FileLogHandler: LogHandler, @unchecked Sendable {
  var logLevel = Logger.Level.debug
  var metadata: Logger.Metadata = [:]
  // Appended to by rank 0's only thread.
  let file: OutputFile

  init(file: OutputFile) { self.file = file }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    try? file.write("\(LocalTime.now()) \(event.level) \(event.line)\n")
  }
}

import ArgumentParser
import Files
import FlightRecorder
import Runs

/// `gan-dist flight-record`: the flight records of a run's ranks as one table.
struct FlightRecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flight-record",
    abstract: "Show what the ranks of a run did last, also of one that hung or was killed.",
    discussion: """
      Every rank records its last exchanges with the others in a file, which outlives it. This puts them side \
      by side: when each rank entered and left each exchange, which rank came last, and where each ended.

      Exit status: 0 done, 64 bad usage, 65 a broken file (the others are shown), 66 no flight record there.
      """)

  @Argument(
    help: ArgumentHelp(
      "The run's folder, or the folder \(FlightRecordFolder.name) in it.", valueName: "dir"))
  var folder: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many exchanges to show.", valueName: "n"),
    transform: NumberOption<Int>.whole("--last", 0...Int.max).parse)
  var last = 20

  func run() throws {
    FileCommand.run {
      let files = try FlightRecordFolder(path: folder)
      let lines = FlightRecordTable(files.records, last: last).lines
      try Console.deliver(lines.map { $0.escapedForTerminal + "\n" }.joined())
      for error in files.errors { Console.error.say("gan-dist: error: \(error)\n") }
      return files.errors.isEmpty ? .done : .badData
    }
  }
}

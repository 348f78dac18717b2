import ArgumentParser
import Glibc
import Runs

/// The command line: `gan-dist [train]`, and commands for what a run leaves.
struct Program: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gan-dist",
    abstract: "Trains a GAN on FashionMNIST, data-parallel over MPI ranks.",
    discussion: """
      Each rank takes its own share of every batch. Gradients of both networks are added up over all \
      ranks and batch normalisation sees the whole batch, so the result does not depend on how many \
      ranks there are.
      """,
    version: Version.name,
    subcommands: [
      TrainCommand.self, EvaluateCommand.self, BenchCommand.self, GenerateCommand.self,
      InspectCommand.self, CompareCommand.self, FlightRecordCommand.self,
    ],
    defaultSubcommand: TrainCommand.self)
}

@main
enum Main {
  static func main() {
    StandardStreams.secure()
    FileSizeLimit.becomesAnError()
    do {
      try ArgumentBytes.demandText()
      var command = try Program.parseAsRoot()
      try command.run()
    } catch {
      endBeforeMPI(error)
    }
  }

  /// Says on one rank only what the command line's parser or the checks before MPI have to say.
  private static func endBeforeMPI(_ error: any Error) -> Never {
    let status = Program.exitCode(for: error).rawValue
    if LauncherEnvironment.rank == 0 {
      let message = Program.fullMessage(for: error)
      // A command that has said everything ends with a status only.
      let text = message.isEmpty || message.hasSuffix("\n") ? message : message + "\n"
      if status == 0 { FileCommand.end(delivering: text) }
      Console.error.say(text)
    } else if status != 0 {
      // The first rank that fails ends the job: let it be the one that speaks.
      sleep(2)
    }
    exit(status)
  }
}

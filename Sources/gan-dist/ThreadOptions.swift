import ArgumentParser
import MPI
import Matrices

/// How many threads a rank works with.
struct ThreadOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Threads of a rank (default: its share of the processors).", valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be from 1 to 1024, but is \(threads).")
    }
  }

  /// Sets the team to work with, before MPI starts; tells where this rank runs and with how many threads.
  func prepare() -> (placement: ProcessPlacement, threadCount: Int) {
    let placement = ProcessPlacement(usableProcessors: WorkTeam.usableProcessors)
    let threadCount = threads ?? placement.threadCount
    WorkTeam.setThreadCount(threadCount)
    return (placement, threadCount)
  }
}

import ArgumentParser
import MPI
import Matrices

/// What a rank works with: threads and memory. None of it changes a result.
struct ResourceOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Threads of a rank (default: its share of the processors).", valueName: "n"),
    transform: NumberOption<Int>.whole("--threads", 1...1024).parse)
  var threads: Int?

  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Ranks of a host keep weights and moments once between them, and each updates its share.",
      discussion: "Otherwise each rank has a copy of its own, and checkpoints compare them."))
  var shardOptimizer = true

  /// Sets the team to work with, before MPI starts; tells where this rank runs and with how many threads.
  func prepare() -> (placement: ProcessPlacement, threadCount: Int) {
    let placement = ProcessPlacement(usableProcessors: WorkTeam.usableProcessors)
    let threadCount = threads ?? placement.threadCount
    WorkTeam.setThreadCount(threadCount)
    return (placement, threadCount)
  }
}

import ArgumentParser
import Glibc
import MPI
import MPICollectives
import Matrices
import Processors
import Runs
import Waiting

/// What a rank works with: threads and memory. None of it changes a result.
struct ResourceOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Threads of a rank (default: OMP_NUM_THREADS, else its share of the processors).",
      valueName: "n"),
    transform: NumberOption<Int>.whole("--threads", 1...WorkTeam.mostThreads).parse)
  var threads: Int?

  /// Looks at the host's processors and starts this rank's threads. Every rank must call this.
  /// - Returns: which rank runs where.
  /// - Throws: `MPIError`; ``ForeignLauncherError``; ``UnlikeProgramsError``; ``AgreedFailure`` of a
  ///   `ThreadSupplyError`.
  func start(over communicator: Communicator) throws -> RankDirectory {
    try ForeignLauncherError.demandOneJob(rankCount: communicator.rankCount)
    let ranks = try directory(of: communicator)
    try UnlikeProgramsError.demandLike(on: ranks)
    return ranks
  }

  /// The same for some of the job's ranks. Each of these ranks must call this.
  /// - Throws: `MPIError`; ``AgreedFailure`` of a `ThreadSupplyError`.
  func directory(of communicator: Communicator) throws -> RankDirectory {
    let hosts = try Hosts(communicator)
    let neighbours = try hosts.own.allGather(RankProcessors.ofThisProcess().encoded)
    let share = ProcessorShare.shares(
      of: neighbours.map {
        RankProcessors(encoded: $0) ?? RankProcessors(mask: ProcessorSet([]), quota: nil)
      }, core: ProcessorShare.coreOfThisMachine)[hosts.own.rank]
    let variables = OpenMPVariables { getenv($0).map { String(cString: $0) } }
    let threadCount = min(
      threads ?? variables.threadCount(ofShare: share.threadCount), WorkTeam.mostThreads)
    try communicator.agree { try WorkTeam.setThreadCount(threadCount) }
    if !share.hasRoom(forThreads: threadCount) { Spinning.nanoseconds = 0 }
    return try RankDirectory(hosts, share: share, threadCount: threadCount)
  }
}

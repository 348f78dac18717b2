import Glibc
import Runs

/// What the launcher (mpirun, srun, or another MPI's mpiexec) tells a process before MPI starts.
enum LauncherEnvironment {
  /// This process's rank; 0 without a launcher.
  static var rank: Int {
    number(of: ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"]) ?? 0
  }

  /// How many ranks there will be; nil if nobody says so.
  static var rankCount: Int? { number(of: ["OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"]) }

  /// Where the job is, for the scripts that started it.
  enum JobState: String {
    /// All ranks are there and listen to signals.
    case running
    /// All steps are taken, and everything is written.
    case finished
    /// A rank has failed, and is about to end the job.
    case failed
  }

  /// Tells launch/train or launch/cluster, if one of them started this: they take the line out of what is said.
  static func tell(_ state: JobState) {
    guard rank == 0 || state == .failed, getenv(ResumeHint.startCommandVariable) != nil else {
      return
    }
    Console.error.say("gan-dist: job: \(state.rawValue)\n")
  }

  private static func number(of names: [String]) -> Int? { names.lazy.compactMap(number).first }

  fileprivate static func number(_ name: String) -> Int? {
    getenv(name).flatMap { Int(String(cString: $0)) }
  }
}

/// Several processes were started for one job, but MPI sees each of them alone: their launcher is not Open MPI's.
struct ForeignLauncherError: Error, CustomStringConvertible {
  let description: String

  /// Compares what the launcher says with what MPI sees.
  /// - Parameters:
  ///   - rankCount: ranks that MPI sees.
  ///   - number: an environment variable's value, if it is a number.
  /// - Throws: ``ForeignLauncherError``.
  static func demandOneJob(
    rankCount: Int, number: (String) -> Int? = LauncherEnvironment.number
  ) throws {
    // Open MPI's mpirun starts single ranks, too, also on hosts where another launcher started its daemon.
    guard rankCount == 1, number("OMPI_COMM_WORLD_SIZE") != 1 else { return }
    // How many processes there are, as launchers of MPICH's family, MVAPICH, Open MPI and Slurm
    // say it. Batch systems set others (SLURM_NTASKS) also for processes that nobody started side
    // by side.
    for name in [
      "PMI_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_SIZE",
      "SLURM_STEP_NUM_TASKS",
    ] {
      if let size = number(name), size > 1 {
        throw ForeignLauncherError("\(name) tells of \(size) processes")
      }
    }
    // PMIx gives no size, but only one process can be the first.
    if let rank = number("PMIX_RANK"), rank > 0 {
      throw ForeignLauncherError("PMIX_RANK tells of \(rank + 1) processes or more")
    }
  }

  private init(_ sign: String) {
    description = """
      \(sign), but each finds itself alone: this mpirun is not Open MPI's, or not that of the Open MPI which \
      gan-dist is linked with. Start it by that one's mpirun (on Debian mpirun.openmpi), or by srun --mpi=pmix
      """
  }
}

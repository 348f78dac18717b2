import Glibc

/// How many processors this rank may use, known before MPI starts.
public struct ProcessPlacement: Equatable, Sendable {
  /// Ranks of the job on this host.
  public let ranksOnHost: Int
  /// Processors that this process may run on.
  public let usableProcessors: Int
  /// Whether the launcher bound this rank to processors of its own.
  public let isBound: Bool

  public init(ranksOnHost: Int, usableProcessors: Int, isBound: Bool) {
    self.ranksOnHost = max(ranksOnHost, 1)
    self.usableProcessors = max(usableProcessors, 1)
    self.isBound = isBound
  }

  /// Reads the launcher's variables.
  /// - Parameter usableProcessors: processors in the affinity mask of this process.
  public init(usableProcessors: Int) {
    func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
    // Open MPI's mpirun; under srun Slurm's variable begins with a plain number ("2(x3)" is several hosts).
    let slurm = getenv("SLURM_STEP_TASKS_PER_NODE").flatMap {
      Int(String(cString: $0).prefix { $0.isNumber })
    }
    self.init(
      ranksOnHost: number("OMPI_COMM_WORLD_LOCAL_SIZE") ?? slurm ?? 1,
      usableProcessors: usableProcessors,
      isBound: number("OMPI_MCA_orte_bound_at_launch") == 1)
  }

  /// Whether ranks share processors: then a waiting rank must yield, not spin.
  public var isOversubscribed: Bool { !isBound && ranksOnHost > usableProcessors }

  /// Threads that this rank can have without taking another's processor.
  public var threadCount: Int {
    isBound ? usableProcessors : max(1, usableProcessors / ranksOnHost)
  }
}

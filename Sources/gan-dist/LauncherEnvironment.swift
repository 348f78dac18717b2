import Glibc

/// What the launcher (mpirun, srun) tells a process before MPI starts.
enum LauncherEnvironment {
  /// This process's rank; 0 without a launcher.
  static var rank: Int { number(["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID"]) ?? 0 }

  private static func number(_ names: [String]) -> Int? {
    names.lazy.compactMap { getenv($0).flatMap { Int(String(cString: $0)) } }.first
  }
}

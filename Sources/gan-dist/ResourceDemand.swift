import Collectives
import GANTraining
import Glibc
import MNISTFamily
import MPI
import MPICollectives
import Matrices
import Memory
import Runs

/// What a rank must have before it begins, seen to where a lack of it can still be told.
enum ResourceDemand {
  /// Address space that MPI, threads and the products' machine code take before the first matrix.
  private static let byteCountOfLibraries = 256 << 20

  /// Ends the process with a message if there is too little memory to start MPI, which crashes then.
  static func beforeMPI() {
    do throws(MemoryError) {
      try Memory.demand(byteCountOfLibraries, areUsed: false, for: "MPI and threads")
    } catch {
      // The first rank that fails ends the job: let it be the one that speaks.
      if LauncherEnvironment.rank > 0 { sleep(2) }
      exit(FailureReport.explain(error, nil).status)
    }
  }
}

extension RankDirectory {
  /// How the ranks of a training reach each other. First it sees whether all hosts have the memory that training takes.
  /// Every rank must call this.
  /// - Parameters:
  ///   - settings: have been seen to fit the data: what is wrong with an option is no lack of memory.
  ///   - networkCollectives: whose operations are used between hosts.
  /// - Throws: ``AgreedFailure`` of a `MemoryError`; `MPIError`.
  func collective(
    for settings: TrainingSettings, _ dataSet: ImageDataSet,
    _ networkCollectives: NetworkCollectives, log: ExchangeLog
  ) throws -> MPICollective {
    let memory = TrainingMemory(
      Architecture(imageSize: dataSet.pixelsPerImage), globalBatchSize: settings.globalBatchSize,
      rankCount: rankCount, ranksOnHost: hosts.own.rankCount)
    try hosts.world.agree { try memory.demand() }
    return try MPICollective(
      hosts, threadsOfRank: threadsOfRank, processorsOfRank: processorsOfRank,
      travelCosts: travelCosts ?? .usual, networkCollectives: networkCollectives, log: log,
      sharedByteCount: memory.sharedByteCount)
  }
}

import GANTraining
import Glibc
import MPI
import Memory

/// The last words of a rank that failed.
enum FailureReport {
  /// Says on standard error what went wrong and where; returns the job's exit status.
  static func explain(_ error: any Error, _ communicator: Communicator?) -> Int32 {
    let status = ExitStatus(of: error)
    if isSeenByAll(error), let communicator, communicator.rank > 0 {
      // The first rank that aborts ends the job: let it be the one that speaks.
      sleep(2)
      return status.rawValue
    }
    // Ranks of a host run out of memory together: one that says so is enough.
    if error is MemoryError, let communicator, communicator.rank > 0 { sleep(2) }
    var place = ""
    // What concerns a file or an option is rank 0's business; everything else needs to say where.
    if let communicator, communicator.rankCount > 1,
      [.internalError, .tryAgain, .unavailable].contains(status), !isSeenByAll(error)
    {
      place = " (rank \(communicator.rank) on \(MPISession.hostName))"
    }
    Console.error.write("gan-dist: error\(place): \(error)\n")
    return status.rawValue
  }

  /// Whether every rank throws this error alike.
  private static func isSeenByAll(_ error: any Error) -> Bool {
    error is TrainingSettings.Invalid || error is TrainingFailure || error is UnlikeDataError
  }
}

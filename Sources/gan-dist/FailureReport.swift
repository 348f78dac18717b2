import GANTraining
import Glibc
import MPI

/// The last words of a rank that failed.
enum FailureReport {
  /// Says on standard error what went wrong and where; returns the job's exit status.
  static func explain(_ error: any Error, _ communicator: Communicator?) -> Int32 {
    let status = ExitStatus(of: error)
    if error is TrainingSettings.Invalid, let communicator, communicator.rank > 0 {
      // All ranks see this alike. The first one that aborts ends the job: let it be the one that speaks.
      sleep(2)
      return status.rawValue
    }
    var place = ""
    // What concerns a file or an option is rank 0's business; everything else needs to say where.
    if let communicator, communicator.rankCount > 1,
      status == .internalError || status == .tryAgain
    {
      place = " (rank \(communicator.rank) on \(MPISession.hostName))"
    }
    Console.error.write("gan-dist: error\(place): \(error)\n")
    return status.rawValue
  }
}

import GANTraining
import Glibc
import MPI

/// The last words of a rank that failed.
enum FailureReport {
  /// Says on standard error what went wrong and where; returns the job's exit status.
  static func explain(_ error: any Error, _ communicator: Communicator?) -> Int32 {
    if let agreed = error as? AgreedFailure {
      // The first rank that aborts ends the job: let it be the one that speaks.
      if let own = agreed.own { say(own, place: agreed.place) } else { sleep(2) }
      return agreed.status
    }
    let status = ExitStatus(of: error)
    if isSeenByAll(error), let communicator, communicator.rank > 0 {
      sleep(2)
      return status.rawValue
    }
    say(error, place: isSeenByAll(error) ? "" : place(of: status, communicator))
    return status.rawValue
  }

  /// Where it went wrong. What concerns a file or an option is rank 0's business; everything else
  /// needs to say where.
  static func place(of status: ExitStatus, _ communicator: Communicator?) -> String {
    guard let communicator, communicator.rankCount > 1,
      status == .internalError || status == .tryAgain
    else { return "" }
    return " (rank \(communicator.rank) on \(MPISession.hostName))"
  }

  private static func say(_ error: any Error, place: String) {
    Console.error.write("gan-dist: error\(place): \(error)\n")
  }

  /// Whether every rank throws this error alike.
  private static func isSeenByAll(_ error: any Error) -> Bool {
    error is TrainingSettings.Invalid || error is TrainingFailure || error is UnlikeDataError
  }
}

import GANTraining
import Glibc
import Judge
import MPI
import Memory
import Runs

/// The last words of a rank that failed.
enum FailureReport {
  /// Says on standard error what went wrong and where; tells how the job ends.
  static func explain(_ error: any Error, _ communicator: Communicator?) -> MPISession.Failure {
    defer { LauncherEnvironment.tell(.failed) }
    if let agreed = error as? AgreedFailure {
      if let own = agreed.own { say(own, place: agreed.place) }
      return MPISession.Failure(status: agreed.status, isSeenByAll: true)
    }
    let status = ExitStatus(of: error)
    if let error = error as? OutputError, error.isOfAReaderThatLeft {
      return MPISession.Failure(status: status.rawValue, isSeenByAll: false)
    }
    if case TrainingFailure.rootFailed = error {
      // Rank 0 says what it was and ends the job, with the status of that.
      sleep(10)
      return MPISession.Failure(status: status.rawValue, isSeenByAll: false)
    }
    let isSeenByAll = isSeenByAll(error)
    if isSeenByAll {
      // One voice is enough: where MPI sees one rank, that of the launcher's first process.
      let rank = communicator.map { $0.rankCount > 1 ? $0.rank : LauncherEnvironment.rank } ?? 0
      if rank == 0 { say(error, place: "") }
    } else {
      // Ranks of a host run out of memory together: one that says so is enough.
      if error is MemoryError, let communicator, communicator.rank > 0 { sleep(2) }
      say(error, place: place(of: status, communicator))
    }
    return MPISession.Failure(status: status.rawValue, isSeenByAll: isSeenByAll)
  }

  /// Where it went wrong. What concerns a file or an option is rank 0's business; everything else needs to say where.
  static func place(of status: ExitStatus, _ communicator: Communicator?) -> String {
    guard let communicator, communicator.rankCount > 1,
      communicator.rank > 0 || [.internalError, .tryAgain, .unavailable].contains(status)
    else { return "" }
    return " (rank \(communicator.rank) on \(MPISession.hostName))"
  }

  private static func say(_ error: any Error, place: String) {
    Console.error.say("gan-dist: error\(place): \(error)\n")
  }

  /// Whether every rank throws this error alike, at the same place.
  private static func isSeenByAll(_ error: any Error) -> Bool {
    switch error {
    case is TrainingSettings.Invalid, is TrainingFailure, is UnlikeDataError,
      is UnlikeProgramsError, is ForeignLauncherError, is UnfitProcessorError, is JudgeError:
      true
    default: false
    }
  }
}

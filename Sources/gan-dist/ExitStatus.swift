import FashionMNIST
import GANTraining
import MPI
import MPICollectives
import Pictures
import TensorFiles

/// The program's exit statuses, numbered as in sysexits.h.
enum ExitStatus: Int32 {
  case done = 0
  case badUsage = 64
  case badData = 65
  case missingInput = 66
  case internalError = 70
  case cannotWrite = 73
  /// A rank or a host failed: the same command may work when started again.
  case tryAgain = 75

  /// The status that an error ends the job with.
  init(of error: any Error) {
    switch error {
    case is TrainingSettings.Invalid: self = .badUsage
    case let error as DataSetError: self = error.kind == .missing ? .missingInput : .badData
    case let error as RunFolderError:
      self = error.kind == .unreadable ? .missingInput : .cannotWrite
    case is PictureError: self = .cannotWrite
    case let error as TensorFileError:
      switch error.kind {
      case .missing: self = .missingInput
      case .broken: self = .badData
      case .notWritten: self = .cannotWrite
      }
    case is MPIError, is StallError, is UnlikeDataError, TrainingFailure.diverged: self = .tryAgain
    default: self = .internalError
    }
  }
}

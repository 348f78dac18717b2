import FlightRecorder
import GANTraining
import ImageMetrics
import Judge
import MNISTFamily
import MPI
import MPICollectives
import Matrices
import Memory
import Pictures
import Runs
import TensorFiles

/// The program's exit statuses, numbered as in sysexits.h.
enum ExitStatus: Int32 {
  case done = 0
  /// `compare` found that two files are not the same.
  case different = 1
  case badUsage = 64
  case badData = 65
  case missingInput = 66
  /// Something that the program needs is not there, such as memory.
  case unavailable = 69
  case internalError = 70
  case cannotWrite = 73
  /// A rank or a host failed: the same command may work when started again.
  case tryAgain = 75

  /// The status that an error ends the job with.
  init(of error: any Error) {
    switch error {
    case is TrainingSettings.Invalid, is ForeignLauncherError: self = .badUsage
    case let error as ProcessorError: self = error.isBadUsage ? .badUsage : .internalError
    case let error as UnfitProcessorError: self = error.isBadUsage ? .badUsage : .internalError
    case is MemoryError, is SharedMemoryError, is ThreadSupplyError, is UnlikeProgramsError:
      self = .unavailable
    case let error as DataSetError:
      switch error.kind {
      case .misnamed: self = .badUsage
      case .missing: self = .missingInput
      case .broken: self = .badData
      case .noMemory: self = .unavailable
      }
    case let error as RunFolderError:
      self = error.kind == .unreadable ? .missingInput : .cannotWrite
    case is OutputError: self = .cannotWrite
    case is JudgeError, is EigenvalueError: self = .badData
    case is FlightRecordError: self = .missingInput
    case let error as PictureError: self = error.kind == .noMemory ? .unavailable : .cannotWrite
    case let error as TensorFileError:
      switch error.kind {
      case .missing: self = .missingInput
      case .broken: self = .badData
      case .notWritten: self = .cannotWrite
      case .noMemory: self = .unavailable
      }
    case is MPIError, is StallError, is UnlikeDataError, TrainingFailure.diverged: self = .tryAgain
    default: self = .internalError
    }
  }
}

import Files
import Glibc

/// The right to write to a run's folder; given back when the process ends, however it ends.
final class RunLock {
  private let lock: FileLock
  /// What people should know of the lock; nil if there is nothing.
  let warning: String?

  /// - Parameter hostName: of this program, for those that want the lock too.
  /// - Throws: ``RunFolderError`` if another program has it, which it names.
  init(path: String, folder: String, hostName: String) throws {
    do throws(FileLock.Refusal) {
      lock = try FileLock(path: path, hostName: hostName)
    } catch {
      throw Self.error(error, folder: folder)
    }
    warning = lock.missingLock.map { reason in
      """
      \(folder.escapedForTerminal) cannot be locked (\(reason)): see to it that no other gan-dist \
      writes to it
      """
    }
  }

  /// Sees whether another program has the lock, without making it or taking it.
  /// - Throws: ``RunFolderError`` if another program has it, which it names.
  static func demandFree(path: String, folder: String) throws {
    do throws(FileLock.Refusal) {
      try FileLock.demandFree(path: path)
    } catch {
      throw Self.error(error, folder: folder)
    }
  }

  private static func error(_ refusal: FileLock.Refusal, folder: String) -> RunFolderError {
    switch refusal {
    case .held(let owner):
      RunFolderError(path: folder, reason: "another gan-dist (\(owner)) is writing to it")
    case .replaced: RunFolderError(path: folder, reason: "another gan-dist is starting there")
    case .unusable(let error): RunFolderError(path: error.path, reason: error.reason)
    }
  }
}

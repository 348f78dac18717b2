import Glibc
import MPI

/// The right to write to a run's folder; given back when the process ends, however it ends.
final class RunLock {
  private let descriptor: Int32

  /// - Throws: ``RunFolderError`` if another program has it, which it names.
  init(path: String, folder: String) throws {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    if descriptor < 0 { throw RunFolderError(path: path) }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let reason = errno
      defer { close(descriptor) }
      guard reason == EWOULDBLOCK else {
        throw RunFolderError(path: path, reason: String(cString: strerror(reason)))
      }
      throw RunFolderError(
        path: folder, reason: "another gan-dist (\(Self.owner(descriptor))) is writing to it")
    }
    ftruncate(descriptor, 0)
    _ = Console.writeAll("process \(getpid()) on \(MPISession.hostName)", to: descriptor)
  }

  deinit { close(descriptor) }

  private static func owner(_ descriptor: Int32) -> String {
    var text = [UInt8](repeating: 0, count: 200)
    let count = pread(descriptor, &text, text.count, 0)
    return count > 0 ? String(decoding: text.prefix(count), as: UTF8.self) : "unknown"
  }
}

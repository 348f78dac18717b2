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
      throw Self.inUse(folder, descriptor)
    }
    // A start that was refused has removed the file that was opened: whoever comes next would make
    // another.
    guard Self.isStill(descriptor, path) else {
      close(descriptor)
      throw RunFolderError(path: folder, reason: "another gan-dist is starting there")
    }
    ftruncate(descriptor, 0)
    _ = Console.writeAll("process \(getpid()) on \(MPISession.hostName)", to: descriptor)
  }

  /// Sees whether another program has the lock, without making it or taking it.
  /// - Throws: ``RunFolderError`` if another program has it, which it names.
  static func demandFree(path: String, folder: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    // Whoever takes it will learn why it cannot be opened.
    if descriptor < 0 { return }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK {
      throw inUse(folder, descriptor)
    }
  }

  private static func inUse(_ folder: String, _ descriptor: Int32) -> RunFolderError {
    RunFolderError(
      path: folder, reason: "another gan-dist (\(owner(descriptor))) is writing to it")
  }

  deinit { close(descriptor) }

  /// Whether a path still leads to an open file.
  private static func isStill(_ descriptor: Int32, _ path: String) -> Bool {
    var (open, named) = (stat(), stat())
    return fstat(descriptor, &open) == 0 && stat(path, &named) == 0
      && open.st_dev == named.st_dev && open.st_ino == named.st_ino
  }

  private static func owner(_ descriptor: Int32) -> String {
    var text = [UInt8](repeating: 0, count: 200)
    let count = pread(descriptor, &text, text.count, 0)
    return count > 0 ? String(decoding: text.prefix(count), as: UTF8.self) : "unknown"
  }
}

import Glibc

/// A file that is written to; what `write` was given is in the system's hands when it returns.
final class OutputFile {
  private let path: String
  private let descriptor: Int32

  /// - Throws: ``RunFolderError``.
  init(path: String, _ flags: Int32) throws {
    self.path = path
    // A pipe in its place would wait for its reader.
    descriptor = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0o666)
    if descriptor < 0 { throw RunFolderError(path: path) }
  }

  deinit { close(descriptor) }

  /// - Throws: ``RunFolderError``, also for text that fits only in part.
  func write(_ text: String) throws {
    guard Console.writeAll(text, to: descriptor) else { throw RunFolderError(path: path) }
  }
}

import Files
import Glibc
import SystemPackage

/// A file or folder of the run that cannot be written.
struct RunFolderError: Error, CustomStringConvertible {
  let path: String
  let reason: String
  var description: String { "cannot write \(path.escapedForTerminal): \(reason)" }

  init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  /// With the reason that `errno` names.
  init(path: String) {
    self.init(path: path, reason: String(cString: strerror(errno)))
  }
}

/// The folder of one run. Only rank 0 writes, and only one program at a time.
struct RunFolder {
  /// As the user gave it.
  let path: String
  private let lock: RunLock

  /// What people should know of the folder; nil if there is nothing.
  var warning: String? { lock.warning }

  /// Makes the folder and takes its lock.
  /// - Parameter resuming: whether it may hold a run already; otherwise no run is overwritten.
  /// - Throws: ``RunFolderError`` if it cannot be made, is in use, or holds another run.
  init(path: String, resuming: Bool) throws {
    self.path = path
    func inside(_ name: String) -> String { path.hasSuffix("/") ? path + name : "\(path)/\(name)" }
    try Self.makeFolder(path)
    // First the lock, then the look: no other program changes what is seen.
    lock = try RunLock(path: inside("run.lock"), folder: path)
    if access(inside("config.json"), F_OK) == 0 && !resuming {
      throw RunFolderError(
        path: path,
        reason: """
          it holds another run; go on with it by --resume latest, or name another folder with \
          --out
          """)
    }
    for name in ["samples", "plots", "checkpoints"] { try Self.makeFolder(inside(name)) }
  }

  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether two paths name the same folder; one that is not there is no other's.
  static func isSame(_ a: String, _ b: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev
      && first.st_ino == second.st_ino
  }

  /// runs/ and the date and time, such as "runs/2026-03-01_12-30-05".
  static func defaultPath() -> String {
    "runs/" + LocalTime.now(format: "%Y-%m-%d_%H-%M-%S")
  }

  /// The path of a file in the folder.
  func file(_ name: String) -> String { path.hasSuffix("/") ? path + name : "\(path)/\(name)" }

  /// Writes a whole file beside its place, flushes it to the disk and renames it.
  /// - Throws: ``RunFolderError``.
  func write(_ text: String, to name: String) throws {
    do throws(FileError) {
      try DurableFile.write(text, to: file(name))
    } catch {
      throw RunFolderError(path: file(name), reason: error.reason)
    }
  }

  /// A file that grows line by line.
  /// - Throws: ``RunFolderError``.
  func appendableFile(_ name: String) throws -> OutputFile {
    try OutputFile(path: file(name), O_WRONLY | O_CREAT | O_APPEND)
  }

  /// Makes a folder and those above it.
  static func makeFolder(_ path: String) throws {
    if mkdir(path, 0o777) == 0 || errno == EEXIST { return }
    let reason = errno
    let parent = FilePath(path).removingLastComponent()
    if reason == ENOENT, !parent.isEmpty, parent.string != path {
      try makeFolder(parent.string)
      if mkdir(path, 0o777) == 0 || errno == EEXIST { return }
    }
    errno = reason
    throw RunFolderError(path: path)
  }
}

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

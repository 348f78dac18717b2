import Glibc

/// The right of one process to write somewhere, held as a lock on a file; given back when the
/// process ends, however it ends.
public final class FileLock {
  /// Why the right was not given.
  public enum Refusal: Error, Hashable, Sendable {
    /// Another process has it; what that process said of itself, made safe for a terminal.
    case held(owner: String)
    /// Another process has removed the file meanwhile: whoever comes next would lock another.
    case replaced
    /// The file cannot serve as a lock.
    case unusable(FileError)
  }

  /// The system's reason why nothing is locked; nil if the lock holds.
  ///
  /// Some file systems have no locks (Lustre without "-o flock", NFS without its lock daemon).
  public let missingLock: String?
  private let descriptor: Int32

  /// How a lock's text begins. A file with another text is not this program's.
  static let textStart = "process "
  private static let textByteCount = 200

  /// Takes the lock at `path`, and makes the file where there is none.
  /// - Throws: `Refusal`, also if what stands at `path` is anything but a lock of this program: it
  ///   stays as it is.
  public convenience init(path: String, hostName: String) throws(Refusal) {
    try self.init(path: path, hostName: hostName, lock: SystemCalls().lock)
  }

  init(
    path: String, hostName: String, lock: (Int32) -> SystemCalls.Outcome<Int32>
  ) throws(Refusal) {
    guard !path.utf8.contains(0) else {
      throw .unusable(FileError(path: path, call: .create, reason: "its name contains a NUL"))
    }
    // A link could lead anywhere, and a pipe would wait for its reader.
    descriptor = open(
      path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode_t(0o666))
    guard descriptor >= 0 else { throw .unusable(Self.openingError(path, code: errno)) }
    // From here on deinit closes it.
    let locked = lock(descriptor)
    let hasNoLocks = locked.value != 0 && SystemCalls.meansNoLocks(locked.code)
    missingLock = hasNoLocks ? String(cString: strerror(locked.code)) : nil
    try demandOwnFile(path)
    guard locked.value == 0 || hasNoLocks else {
      if locked.code == EWOULDBLOCK { throw .held(owner: text().escapedForTerminal) }
      throw .unusable(FileError(path: path, call: .create, code: locked.code))
    }
    guard isStill(at: path) else { throw .replaced }
    ftruncate(descriptor, 0)
    // The text only helps people: a full disk is noticed by whoever writes more.
    var owner = "\(Self.textStart)\(getpid()) on \(hostName)"
    owner.withUTF8 { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  deinit { close(descriptor) }

  /// Sees whether the lock at `path` could be had, without making or taking it.
  /// - Throws: `Refusal` as when it is taken.
  public static func demandFree(path: String) throws(Refusal) {
    switch FileStatus(path: path) {
    case .absent: return
    default: _ = try FileLock(lookingAt: path)
    }
  }

  /// Has the lock for a moment, beside others that look.
  private init(lookingAt path: String) throws(Refusal) {
    descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    missingLock = nil
    guard descriptor >= 0 else {
      throw .unusable(Self.openingError(path, code: errno))
    }
    try demandOwnFile(path)
    if flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK {
      throw .held(owner: text().escapedForTerminal)
    }
  }

  private static func openingError(_ path: String, code: Int32) -> FileError {
    code == ELOOP
      ? FileError(path: path, call: .create, reason: "it is a symbolic link; remove it")
      : FileError(path: path, call: .create, code: code)
  }

  /// Sees that the file is a lock of this program, and nothing that somebody needs.
  private func demandOwnFile(_ path: String) throws(Refusal) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .unusable(FileError(path: path, call: .examine, code: errno))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .unusable(FileError(path: path, call: .create, reason: "it is no regular file"))
    }
    let (text, start) = (Array(text().utf8), Array(Self.textStart.utf8))
    guard status.st_nlink <= 1, start.starts(with: text) || text.starts(with: start) else {
      throw .unusable(
        FileError(
          path: path, call: .create,
          reason: "it is a file of something else; move it, or take another folder"))
    }
  }

  /// Whether the path still leads to the open file.
  private func isStill(at path: String) -> Bool {
    var (open, named) = (stat(), stat())
    return fstat(descriptor, &open) == 0 && lstat(path, &named) == 0
      && open.st_dev == named.st_dev && open.st_ino == named.st_ino
  }

  /// What the file says, as far as it is read.
  private func text() -> String {
    var bytes = [UInt8](repeating: 0, count: Self.textByteCount)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }
}

import Glibc

/// What stands at a path.
public enum FileStatus: Equatable, Sendable {
  /// A regular file.
  case file
  /// A folder.
  case folder
  /// A device, a pipe or a socket.
  case other
  /// Nothing.
  case absent
  /// The system does not say, and why.
  case unreachable(reason: String)

  /// Looks at `path`, following symbolic links.
  public init(path: String) {
    // What the system is given ends at the first NUL: it would be another file.
    guard !path.utf8.contains(0) else {
      self = .unreachable(reason: "its name contains a NUL")
      return
    }
    var status = stat()
    guard stat(path, &status) == 0 else {
      let code = errno
      let isAbsent = code == ENOENT || code == ENOTDIR
      self = isAbsent ? .absent : .unreachable(reason: String(cString: strerror(code)))
      return
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    default: self = .other
    }
  }
}

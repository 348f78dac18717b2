import Glibc

/// What stands at a path.
enum FileStatus: Equatable {
  case file
  case folder
  case other
  case absent
  case unreachable(reason: String)

  /// Looks at `path`, following symbolic links.
  init(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let isAbsent = errno == ENOENT || errno == ENOTDIR
      self = isAbsent ? .absent : .unreachable(reason: String(cString: strerror(errno)))
      return
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    default: self = .other
    }
  }
}

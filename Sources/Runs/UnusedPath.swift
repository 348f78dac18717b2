import Glibc

/// A name that nothing has yet.
enum UnusedPath {
  /// `path`, or `path_2` and so on if that is taken.
  static func next(to path: String) -> String {
    var (candidate, number) = (path, 1)
    var status = stat()
    while lstat(candidate, &status) == 0 {
      number += 1
      candidate = "\(path)_\(number)"
    }
    return candidate
  }
}

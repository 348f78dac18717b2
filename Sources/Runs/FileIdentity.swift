import Glibc

/// Which file a path leads to, and in which state: two that are equal are the same file, unchanged.
struct FileIdentity: Equatable {
  private let device: UInt
  private let inode: UInt
  private let size: Int
  private let seconds, nanoseconds: Int

  /// Looks at `path`, following links; nil if nothing can be seen there.
  init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    (device, inode, size) = (UInt(status.st_dev), UInt(status.st_ino), Int(status.st_size))
    (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
  }

  /// Whether two paths lead to the same file or folder; one that is not there is no other's.
  static func isSame(_ a: String, _ b: String) -> Bool {
    guard let first = FileIdentity(path: a), let second = FileIdentity(path: b) else {
      return false
    }
    return first.device == second.device && first.inode == second.inode
  }
}

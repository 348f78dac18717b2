import Glibc
import SystemPackage

/// Files on the way to their names: `.gan-dist-0123456789abcdef.part`, in the folder of the name.
///
/// Such a name is one that nobody else has, and is taken only if it is free: nothing is overwritten
/// and no link followed. Its process holds a lock on it; what a killed process left has none, and
/// is removed before the next file is written there, so that it does not pile up.
enum TemporaryFile {
  /// Seconds since the last change after which a file without a lock is of nobody: locks may not
  /// reach other hosts.
  static let secondsUntilAbandoned = 60
  /// As `secondsUntilAbandoned`, where the file system has no locks.
  static let secondsUntilAbandonedWithoutLocks = 3600

  private static let (prefix, suffix) = (Array(".gan-dist-".utf8), Array(".part".utf8))

  /// A name that no file has yet, as good as certainly.
  static func randomName() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return ".gan-dist-" + String(repeating: "0", count: 16 - digits.count) + digits + ".part"
  }

  /// Makes an empty file in a folder and locks it, where there are locks.
  static func create(
    in folder: FilePath, _ calls: SystemCalls
  ) -> (path: String, opened: SystemCalls.Outcome<Int32>) {
    while true {
      let path = folder.appending(randomName()).string
      let opened = calls.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
      if opened.value < 0, opened.code == EEXIST { continue }
      // Without a lock its age protects it.
      if opened.value >= 0 { _ = calls.lock(opened.value) }
      return (path, opened)
    }
  }

  /// Removes what killed processes left in a folder; what cannot be removed stays.
  static func removeAbandoned(in folder: FilePath, _ calls: SystemCalls) {
    let path = folder.isEmpty ? "." : folder.string
    guard let names = try? FolderListing.names(in: path) else { return }
    for name in names where isTemporary(name) {
      let file = folder.appending(name).string
      // The lock of NFS needs a file that is open for writing.
      let opened = calls.open(file, O_WRONLY | O_NOFOLLOW | O_NONBLOCK)
      guard opened.value >= 0 else { continue }
      defer { _ = calls.close(opened.value) }
      if isAbandoned(opened.value, calls) { calls.unlink(file) }
    }
  }

  private static func isTemporary(_ name: FilePath.Component) -> Bool {
    let bytes = Array(name.string.utf8)
    guard bytes.starts(with: prefix), bytes.reversed().starts(with: suffix.reversed()) else {
      return false
    }
    let digits = bytes.dropFirst(prefix.count).dropLast(suffix.count)
    return digits.count == 16 && digits.allSatisfy { "0123456789abcdef".utf8.contains($0) }
  }

  private static func isAbandoned(_ descriptor: Int32, _ calls: SystemCalls) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_uid == geteuid()
    else { return false }
    let age = time(nil) - status.st_mtim.tv_sec
    let locked = calls.lock(descriptor)
    if locked.value == 0 { return age > secondsUntilAbandoned }
    return SystemCalls.meansNoLocks(locked.code) && age > secondsUntilAbandonedWithoutLocks
  }
}

import Glibc
import SystemPackage

/// The names in a folder.
public enum FolderListing {
  /// The names in the folder at `path`, in no order, without "." and "..".
  ///
  /// A name is the bytes that the system gives, which need not be UTF-8. To look for a file by its
  /// name compare bytes, or `name.string`, in which bytes that are not UTF-8 are U+FFFD.
  /// - Throws: `FileError` if the folder cannot be opened, or not be read to its end.
  public static func names(in path: String) throws(FileError) -> [FilePath.Component] {
    guard !path.utf8.contains(0) else {
      throw FileError(path: path, call: .list, reason: "its name contains a NUL")
    }
    guard let folder = opendir(path) else {
      throw FileError(path: path, call: .list, code: errno)
    }
    defer { closedir(folder) }
    return try names(path) { readdir(folder) }
  }

  /// Reads entries until there are none; tests put other entries in place of the system's.
  static func names(
    _ path: String, next: () -> UnsafeMutablePointer<dirent>?
  ) throws(FileError) -> [FilePath.Component] {
    var names: [FilePath.Component] = []
    while true {
      // The end is told from a failure by the error number only.
      errno = 0
      guard let entry = next() else {
        guard errno == 0 else { throw FileError(path: path, call: .list, code: errno) }
        return names
      }
      // "." and ".." are no names of files.
      if let name = name(of: entry), name.kind == .regular { names.append(name) }
    }
  }

  /// An entry is only as long as its name: `d_name` must not be copied whole.
  private static func name(of entry: UnsafeMutablePointer<dirent>) -> FilePath.Component? {
    guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else {
      preconditionFailure("dirent has no name")
    }
    let bytes = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
    return FilePath.Component(platformString: bytes)
  }
}

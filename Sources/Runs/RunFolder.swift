import Files
import Glibc
import SystemPackage

/// The folder of one run. Only rank 0 writes, and only one program at a time.
package struct RunFolder {
  /// Where things are in it.
  struct Layout {
    /// As the user gave it.
    let path: String

    /// The path of a file in the folder.
    func file(_ name: String) -> String { path.hasSuffix("/") ? path + name : "\(path)/\(name)" }
    var lock: String { file("run.lock") }
    var log: String { file("log.txt") }
    var checkpoints: CheckpointFolder { CheckpointFolder(path: file("checkpoints")) }
  }

  private let layout: Layout
  private let lock: RunLock

  /// What people should know of the folder; nil if there is nothing.
  var warning: String? { lock.warning }
  var path: String { layout.path }
  var checkpoints: CheckpointFolder { layout.checkpoints }

  /// The path of a file in the folder.
  func file(_ name: String) -> String { layout.file(name) }

  /// Makes the folder if it is not there, and takes its lock.
  /// - Parameters:
  ///   - path: nil for a new folder under runs/.
  ///   - hostName: of this program, for those that want the folder too.
  ///   - undo: how to take it back.
  /// - Throws: `RunFolderError` if it cannot be made, or is in use.
  init(path: String?, hostName: String, undo: UndoList) throws {
    if let path { try Self.makeFolder(path, undo: undo) }
    let layout = Layout(path: try path ?? Self.makeDefault(undo: undo))
    self.layout = layout
    let makesLock = Self.isAbsent(layout.lock)
    lock = try RunLock(path: layout.lock, folder: layout.path, hostName: hostName)
    if makesLock { undo.add { unlink(layout.lock) } }
  }

  static func isFolder(_ path: String) -> Bool { type(of: path) == S_IFDIR }

  /// Whether nothing stands at a path, not even a link that leads nowhere.
  static func isAbsent(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) != 0 && errno == ENOENT
  }

  private static func type(of path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  /// Makes a folder of its own: runs/ and the date and time, such as "runs/2026-03-01_12-30-05".
  /// Another start of the same second gets "runs/2026-03-01_12-30-05_2".
  private static func makeDefault(undo: UndoList) throws -> String {
    try makeFolder(parentOfDefault, undo: undo)
    let path = "\(parentOfDefault)/" + LocalTime.now(format: "%Y-%m-%d_%H-%M-%S")
    var (candidate, number) = (path, 1)
    while mkdir(candidate, 0o777) != 0 {
      guard errno == EEXIST else { throw RunFolderError(path: candidate) }
      number += 1
      candidate = "\(path)_\(number)"
    }
    let made = candidate
    undo.add { rmdir(made) }
    return made
  }

  private static let parentOfDefault = "runs"

  /// Sees whether a run could be written to a folder, without making it.
  /// - Parameter path: nil for a new folder under runs/.
  /// - Throws: `RunFolderError`.
  static func demandWritable(_ path: String?) throws {
    var place = FilePath(path ?? parentOfDefault)
    while !isFolder(place.string) {
      var status = stat()
      if lstat(place.string, &status) == 0 {
        throw RunFolderError(path: place.string, code: ENOTDIR)
      }
      guard errno == ENOENT else { throw RunFolderError(path: place.string) }
      let parent = place.removingLastComponent()
      place = parent.isEmpty ? "." : parent
    }
    guard access(place.string, W_OK | X_OK) == 0 else { throw RunFolderError(path: place.string) }
  }

  /// Sees whether a file of the folder could be written whole; one that is there stays as it is.
  /// - Throws: `RunFolderError`.
  func demandWritable(_ name: String) throws { try Self.demandWritable(file: file(name)) }

  /// Sees whether any file could be written whole; one that is there stays as it is.
  /// - Throws: `RunFolderError`.
  package static func demandWritable(file path: String) throws {
    do throws(FileError) {
      try DurableFile.probe(path)
    } catch {
      throw RunFolderError(path: path, reason: error.reason)
    }
  }

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
  /// - Parameter undo: how to take it back.
  /// - Throws: `RunFolderError`.
  static func makeFolder(_ path: String, undo: UndoList? = nil) throws {
    func make() -> Bool {
      guard mkdir(path, 0o777) == 0 else { return errno == EEXIST && isFolder(path) }
      undo?.add { rmdir(path) }
      return true
    }
    if make() { return }
    var reason = errno
    let parent = FilePath(path).removingLastComponent()
    if reason == ENOENT, !parent.isEmpty {
      try makeFolder(parent.string, undo: undo)
      if make() { return }
      reason = errno
    }
    throw RunFolderError(path: path, code: reason)
  }
}

import Files
import Glibc

/// What a run's folder holds, seen without changing anything.
struct RunFolderSurvey: Equatable {
  /// Files that only a run has.
  let signs: [String]
  /// Newest first.
  let checkpoints: [CheckpointFolder.Entry]
  let hasCheckpointFolder: Bool

  /// A folder with less in it (a log, a lock) was left by a start that failed before it began.
  var holdsRun: Bool { !signs.isEmpty || !checkpoints.isEmpty }

  /// Looks into a folder, which need not be there.
  /// - Parameter kind: what an error is called: whether a run is to go on from here, or to be
  ///   written here.
  /// - Throws: `RunFolderError` if it cannot be looked at: that is another thing than being empty.
  init(path: String, _ kind: RunFolderError.Kind) throws {
    guard try Self.isThere(path, kind) else {
      (signs, checkpoints, hasCheckpointFolder) = ([], [], false)
      return
    }
    guard RunFolder.isFolder(path) else {
      throw RunFolderError(kind, path: path, code: ENOTDIR)
    }
    let folder = RunFolder.Layout(path: path)
    signs = try ["config.json", "metrics.csv", "generator.safetensors"].filter {
      try Self.isThere(folder.file($0), kind)
    }
    hasCheckpointFolder = try Self.isThere(folder.checkpoints.path, kind)
    do throws(FileError) {
      checkpoints = hasCheckpointFolder ? try folder.checkpoints.entries() : []
    } catch {
      throw RunFolderError(kind, error)
    }
  }

  /// Whether there is anything at a path, even a link that leads nowhere.
  private static func isThere(_ path: String, _ kind: RunFolderError.Kind) throws -> Bool {
    var status = stat()
    if lstat(path, &status) == 0 { return true }
    guard errno == ENOENT else { throw RunFolderError(kind, path: path) }
    return false
  }
}

import Glibc
import SystemPackage

/// Where a run goes on from: `--resume latest` or `--resume PATH`.
package enum ResumeSource: Equatable {
  /// The newest whole checkpoint of the run folder.
  case latest
  /// A checkpoint, or a folder whose newest one is meant.
  case path(String)

  /// - Parameter argument: what stands after `--resume`; nil if that is nothing.
  package init?(argument: String) {
    if argument.isEmpty { return nil }
    self = argument == "latest" ? .latest : .path(argument)
  }

  /// The folder whose newest checkpoint is meant; nil for a file.
  /// - Parameter out: the folder of `--out`.
  func checkpointFolder(out: String?) -> CheckpointFolder? {
    switch self {
    case .latest: return out.map { RunFolder.Layout(path: $0).checkpoints }
    case .path(let path):
      guard RunFolder.isFolder(path) else { return nil }
      let inside = RunFolder.Layout(path: path).checkpoints
      if RunFolder.isFolder(inside.path) { return inside }
      // Checkpoints may lie in a folder of another name, without a run around them.
      let holdsThem = Self.runFolder(ofCheckpointsIn: path) != nil || Self.holdsCheckpoints(path)
      return holdsThem ? CheckpointFolder(path: path) : inside
    }
  }

  /// The folder of the run that the path belongs to, or is; nil for a path that belongs to none.
  var runFolder: String? {
    guard case .path(let path) = self else { return nil }
    guard let folder = checkpointFolder(out: nil) else {
      return Self.runFolder(ofCheckpointsIn: FilePath(path).removingLastComponent().string)
    }
    return Self.runFolder(ofCheckpointsIn: folder.path)
  }

  private static func holdsCheckpoints(_ path: String) -> Bool {
    (try? CheckpointFolder(path: path).entries().isEmpty) == false
  }

  /// The folder around one called `checkpoints`; nil for one of another name.
  private static func runFolder(ofCheckpointsIn path: String) -> String? {
    var folder = FilePath(path.isEmpty ? "." : path)
    if folder.lastComponent?.kind != .regular {
      // "." and ".." do not tell how the folder is called.
      guard let real = realpath(path.isEmpty ? "." : path, nil) else { return nil }
      defer { free(real) }
      folder = FilePath(platformString: real)
    }
    guard folder.lastComponent == "checkpoints" else { return nil }
    let run = folder.removingLastComponent()
    return run.isEmpty ? "." : run.string
  }
}

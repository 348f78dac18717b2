import Files
import GANTraining
import Glibc
import TensorFiles

/// The checkpoints of a run: `checkpoints/step_00018740.safetensors`, the newest few.
///
/// Other files may lie beside them. They are none of the program's business.
struct CheckpointFolder {
  let path: String

  /// A file that has the name of a checkpoint.
  struct Entry: Equatable {
    let step: Int
    /// Nil for a link that leads nowhere.
    let identity: FileIdentity?
  }

  /// The file of a step.
  func file(step: Int) -> String { "\(path)/\(Self.fileName(step: step))" }

  /// The name of a step's file.
  static func fileName(step: Int) -> String {
    "step_\(Phrases.padded(step, to: 8, with: "0")).safetensors"
  }

  /// The step that a file's name tells; nil for names that the program does not give.
  static func step(ofFileName name: String) -> Int? {
    guard name.hasPrefix("step_"), name.hasSuffix(".safetensors"),
      let step = Int(name.dropFirst("step_".count).dropLast(".safetensors".count)),
      step >= 0, fileName(step: step) == name
    else { return nil }
    return step
  }

  /// The checkpoints that are there, newest first.
  /// - Throws: `FileError` if the folder cannot be looked through.
  func entries() throws(FileError) -> [Entry] {
    var entries: [Entry] = []
    for name in try FolderListing.names(in: path) {
      guard let step = Self.step(ofFileName: name.string) else { continue }
      let file = file(step: step)
      var status = stat()
      guard lstat(file, &status) == 0 else {
        // Somebody has just removed it.
        if errno == ENOENT { continue }
        throw FileError(path: file, call: .examine, code: errno)
      }
      // A link that leads nowhere may be a checkpoint on a disk that is not there now.
      let isLink = status.st_mode & S_IFMT == S_IFLNK
      if isLink && stat(file, &status) != 0 {
        entries.append(Entry(step: step, identity: nil))
      } else if status.st_mode & S_IFMT == S_IFREG {
        entries.append(Entry(step: step, identity: FileIdentity(path: file)))
      }
    }
    return entries.sorted { $0.step > $1.step }
  }

  /// Reads the newest of some checkpoints that is whole; nil if there are none.
  /// - Parameter warn: is told of each damaged one that is passed over.
  /// - Throws: `TensorFileError` for one that cannot be read, which need not be damaged; also if
  ///   all are damaged: a run is not begun anew over what is left of it.
  func newestWhole(
    of entries: [Entry], warn: (String) -> Void
  ) throws -> (checkpoint: Checkpoint, file: String)? {
    var damage: TensorFileError?
    for entry in entries {
      let file = file(step: entry.step)
      do {
        let checkpoint = try Checkpoint(path: file)
        guard checkpoint.position.step == entry.step else {
          throw TensorFileError(
            kind: .broken, path: file,
            message: "is of step \(checkpoint.position.step), not of the step of its name")
        }
        return (checkpoint, file)
      } catch let error as TensorFileError where error.kind == .broken {
        warn("a checkpoint is damaged and passed over: \(error)")
        damage = damage ?? error
      }
    }
    if let damage { throw damage }
    return nil
  }

  /// Renames checkpoints of later steps to `NAME.abandoned`, so that they are not taken for the
  /// newest of the run that goes on without them.
  /// - Parameters:
  ///   - kept: the checkpoint that the run goes on from. Another one of the same step is of
  ///     another past.
  ///   - undo: how to take it back.
  /// - Returns: the files as they were named.
  /// - Throws: `RunFolderError`.
  func setAside(after step: Int, except kept: String, undo: UndoList) throws -> [String] {
    let found: [Entry]
    do throws(FileError) {
      found = try entries()
    } catch {
      throw RunFolderError(.unwritable, error)
    }
    return try found.compactMap { entry in
      let file = file(step: entry.step)
      guard entry.step > step || entry.step == step && !FileIdentity.isSame(file, kept) else {
        return nil
      }
      try undo.rename(file, to: UnusedPath.next(to: file + ".abandoned"))
      return file
    }
  }

  /// Removes all but the newest few.
  /// - Returns: what went wrong; nil if nothing did.
  func removeOld(keeping kept: Int) -> String? {
    do {
      var problem: String?
      for old in try entries().dropFirst(kept) where unlink(file(step: old.step)) != 0 {
        if errno != ENOENT {
          problem = "cannot remove \(file(step: old.step)): \(String(cString: strerror(errno)))"
        }
      }
      return problem
    } catch {
      return "\(error)"
    }
  }
}

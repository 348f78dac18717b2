import GANTraining
import Glibc
import TensorFiles

/// The checkpoints of a run: `checkpoints/step_00018740.safetensors`, the newest few.
struct CheckpointFolder {
  let path: String
  /// How many to keep, at least 1.
  let kept: Int

  /// The file of a step.
  func file(step: Int) -> String {
    "\(path)/step_\(Phrases.padded(step, to: 8, with: "0")).safetensors"
  }

  /// The steps that have a file, newest first.
  func steps() -> [Int] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var steps: [Int] = []
    while let entry = readdir(folder) {
      // The entry is only as long as its name: it must not be copied whole.
      guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
      let name = String(
        cString: UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self))
      guard name.hasPrefix("step_"), name.hasSuffix(".safetensors"),
        let step = Int(name.dropFirst("step_".count).dropLast(".safetensors".count))
      else { continue }
      steps.append(step)
    }
    return steps.sorted(by: >)
  }

  /// Reads the newest checkpoint that is whole; nil if there are none at all.
  /// - Parameter warn: is told of each damaged one that is passed over.
  /// - Throws: `TensorFileError` if all are damaged: a run is not begun anew over what is left of it.
  func newestWhole(warn: (String) -> Void) throws -> Checkpoint? {
    var damage: (any Error)?
    for step in steps() {
      do {
        return try Checkpoint(path: file(step: step))
      } catch {
        warn("a checkpoint is damaged and passed over: \(error)")
        damage = error
      }
    }
    if let damage { throw damage }
    return nil
  }

  /// Renames the checkpoints of later steps to `NAME.abandoned`, so that they are not taken for the newest of the run that
  /// goes on without them.
  /// - Returns: the files as they were named.
  /// - Throws: `RunFolderError`.
  func setAside(after step: Int) throws -> [String] {
    try steps().filter { $0 > step }.map { later in
      let file = file(step: later)
      guard rename(file, file + ".abandoned") == 0 else { throw RunFolderError(path: file) }
      return file
    }
  }

  /// Removes all but the newest few.
  func removeOld() {
    for old in steps().dropFirst(kept) { unlink(file(step: old)) }
  }
}

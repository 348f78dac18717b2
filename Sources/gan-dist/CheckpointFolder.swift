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
      let name = withUnsafePointer(to: entry.pointee.d_name) { name in
        name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasPrefix("step_"), name.hasSuffix(".safetensors"),
        let step = Int(name.dropFirst("step_".count).dropLast(".safetensors".count))
      else { continue }
      steps.append(step)
    }
    return steps.sorted(by: >)
  }

  /// Reads the newest checkpoint that is whole; nil if there is none.
  /// - Parameter warn: is told of each damaged one that is passed over.
  func newestWhole(warn: (String) -> Void) -> Checkpoint? {
    for step in steps() {
      do {
        return try Checkpoint(path: file(step: step))
      } catch {
        warn("a checkpoint is damaged and passed over: \(error)")
      }
    }
    return nil
  }

  /// Removes all but the newest few up to `step`, which was just written; newer ones are of a run that went on elsewhere.
  func removeOld(after step: Int) {
    for old in steps().filter({ $0 <= step }).dropFirst(kept) { unlink(file(step: old)) }
  }
}

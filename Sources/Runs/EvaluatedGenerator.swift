import Files
import GANTraining
import Glibc
import TensorFiles

/// The G that is to be evaluated: a file, or the newest of a run.
package struct EvaluatedGenerator {
  /// The file.
  package let path: String
  /// What the run was set to; nil for a file that does not tell.
  package let configuration: RunConfiguration?
  /// The file's content.
  package let bytes: [UInt8]

  /// - Parameter path: of a checkpoint, of a generator.safetensors, or of a run's folder.
  /// - Throws: `TensorFileError`.
  package init(path: String) throws {
    let file = try RunFolder.isFolder(path) ? Self.newest(of: path) : path
    self.path = file
    do throws(FileError) {
      let content = try InputFile(path: file)
      // The bytes are there as long as the object is.
      bytes = withExtendedLifetime(content) { Array(content.bytes) }
    } catch {
      throw TensorFileError(kind: .missing, path: error.path, message: error.reason)
    }
    configuration = try? Checkpoint(path: file).configuration
    // What is wrong with it is said before anything else is done.
    _ = try generator()
  }

  private static func newest(of path: String) throws -> String {
    let layout = RunFolder.Layout(path: path)
    let generator = layout.file("generator.safetensors")
    do throws(FileError) {
      let entries =
        RunFolder.isFolder(layout.checkpoints.path) ? try layout.checkpoints.entries() : []
      if let newest = entries.max(by: { $0.step < $1.step }) {
        return layout.checkpoints.file(step: newest.step)
      }
    } catch {
      throw TensorFileError(kind: .missing, path: error.path, message: error.reason)
    }
    guard !RunFolder.isAbsent(generator) else {
      throw TensorFileError(
        kind: .missing, path: path,
        message: """
          holds neither checkpoints/ with a checkpoint nor generator.safetensors; name the folder of a run, or a file
          """)
    }
    return generator
  }

  private func generator() throws -> GeneratorFile {
    try Self.generator(bytes, path: path)
  }

  /// G out of a file's content, as another rank has read it.
  /// - Throws: `TensorFileError`, `MemoryError`.
  package static func generator(_ bytes: [UInt8], path: String) throws -> GeneratorFile {
    try bytes.withUnsafeBytes {
      try GeneratorFile(SafetensorsFile(copying: $0, path: path))
    }
  }
}

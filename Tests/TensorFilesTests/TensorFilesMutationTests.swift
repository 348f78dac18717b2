import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite struct TensorFilesMutationTests {
  @Test(.timeLimit(.minutes(5)))
  func safetensorsStandsAnyDamage() throws {
    let folder = try TemporaryFolder()
    let bytes = [UInt8](0..<16)
    try bytes.withUnsafeBytes { bytes in
      try SafetensorsWriter.write(
        [
          SafetensorsWriter.Tensor(name: "w", dataType: .float32, shape: [2, 2], bytes: bytes),
          SafetensorsWriter.Tensor(name: "s", dataType: .int64, shape: [2], bytes: bytes),
        ], metadata: ["k": "v"], to: folder.path("with digest"))
    }
    let withDigest = [UInt8](try Data(contentsOf: folder.url("with digest")))
    let originals = [PythonFiles.safetensors, withDigest]
    let trial = try MutationTrial(of: "safetensors", path: "a.safetensors", originals: originals) {
      input in
      do throws(TensorFileError) {
        let file = try input.withUnsafeBufferPointer { (input) throws(TensorFileError) in
          try SafetensorsFile(copying: UnsafeRawBufferPointer(input), path: "a.safetensors")
        }
        for tensor in file.tensors {
          let copy = file.withUnsafeBytes(of: tensor) { Array($0) }
          #expect(8 * copy.count == tensor.shape.reduce(tensor.dataType.bitCount, *))
        }
        return nil
      } catch {
        return error.description
      }
    }
    #expect(trial.complaints.isEmpty, "\(trial.complaints.joined(separator: "\n"))")
    // Both must occur, or the trial tries nothing.
    #expect(trial.acceptedCount > 100)
    #expect(trial.refusedCount > MutationTrial.inputCount / 2)
  }

  @Test(.timeLimit(.minutes(5)))
  func npyStandsAnyDamage() throws {
    let originals = [PythonFiles.float32, PythonFiles.float64Version2]
    let trial = try MutationTrial(of: "npy", path: "a.npy", originals: originals) { input in
      do throws(TensorFileError) {
        let file = try input.withUnsafeBufferPointer { (input) throws(TensorFileError) in
          try NPYFile(decoding: UnsafeRawBufferPointer(input), path: "a.npy")
        }
        #expect(file.values.count == file.shape.reduce(1, *))
        return nil
      } catch {
        return error.description
      }
    }
    #expect(trial.complaints.isEmpty, "\(trial.complaints.joined(separator: "\n"))")
    #expect(trial.acceptedCount > 100)
    #expect(trial.refusedCount > MutationTrial.inputCount / 2)
  }
}

import GANTraining
import TensorFiles
import TestSupport
import Testing

/// Files of a G whose tensors are each sound, but do not fit together or hold no numbers.
@Suite struct GeneratorFileMutationTests {
  private let scratch: TemporaryFolder
  private var path: String { scratch.path("g.safetensors") }

  init() throws { scratch = try TemporaryFolder() }

  private func error(_ file: MadeUpGenerator) throws -> TensorFileError? {
    try file.write(to: path)
    do {
      _ = try GeneratorFile(path: path).images(count: 2) { noise in
        noise.buffer.update(repeating: 1)
      }
      return nil
    } catch let error as TensorFileError {
      #expect(error.kind == .broken && error.path == path, "\(error)")
      return error
    }
  }

  @Test func aSoundFileReads() throws {
    #expect(try error(MadeUpGenerator()) == nil)
    #expect(try error(MadeUpGenerator(sizes: [1, 1, 1, 1, 1])) == nil)
  }

  /// Together they would be networks of 8 TB.
  @Test func weightsThatDoNotFitTogetherTakeNoMemory() throws {
    var file = MadeUpGenerator(sizes: [1, 1, 1, 1, 1])
    for module in [0, 3, 6, 9] { file.setTensor("\(module).weight", [1_000_000, 1], 0) }
    let error = try #require(try error(file))
    #expect(
      error.message == "3.weight takes 1 numbers, but the layer before it gives 1000000",
      "\(error)")
  }

  @Test(.timeLimit(.minutes(15)))
  func anyShapeInPlaceOfAnother() throws {
    let sound = MadeUpGenerator()
    let shapes = [
      [], [0], [1], [4], [5], [0, 0], [1, 1], [4, 3], [3, 4], [5, 5], [1, 1, 1], [4, 3, 1],
    ]
    for (name, tensor) in sound.tensors {
      for shape in shapes where shape != tensor.shape {
        var file = sound
        file.setTensor(name, shape, 0.5)
        let error = try #require(try error(file), "\(name) \(shape)")
        #expect(error.message.contains(".weight") || error.message.contains(name), "\(error)")
      }
      var file = sound
      file.tensors[name] = nil
      #expect(try #require(try error(file)).message == "has no tensor \"\(name)\"")
    }
  }

  @Test func whatIsNoNumberIsNamed() throws {
    for name in MadeUpGenerator().tensors.keys {
      for odd in [Float.nan, .infinity, -.infinity] {
        var file = MadeUpGenerator()
        file.tensors[name]?.values[1] = odd
        let error = try #require(try error(file), "\(name) \(odd)")
        #expect(error.message.contains("\(odd) as element 1 of \"\(name)\""), "\(error)")
      }
      var file = MadeUpGenerator()
      file.tensors[name]?.values[1] = -1
      let refusal = try error(file)
      #expect((refusal != nil) == name.hasSuffix(".running_var"), "\(name)")
      if let refusal {
        #expect(refusal.message.contains("expected a finite number of at least 0"), "\(refusal)")
      }
    }
  }

  @Test func imagesThatAreNoNumbersAreAnError() throws {
    var file = MadeUpGenerator()
    file.setTensor("0.weight", [4, 3], 3e38)
    file.tensors["3.weight"]?.values = (0..<20).map { $0.isMultiple(of: 2) ? 3e38 : -3e38 }
    let error = try #require(try error(file))
    #expect(error.message.contains("pixel 0 of image 0 comes out as "), "\(error)")
  }
}

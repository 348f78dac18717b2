import Matrices
import NeuralNetwork
import TensorFiles

/// A trained G on disk: `generator.safetensors`, whose names PyTorch's `load_state_dict` takes as they stand, or the part
/// of a checkpoint that is G.
public struct GeneratorFile {
  public let architecture: Architecture
  /// Rows and columns of an image, in pixels.
  public let imageHeight: Int
  public let imageWidth: Int
  private let parameters: Generator.Parameters
  private let state: NetworkState

  /// Reads G; its sizes follow from the tensors' shapes.
  /// - Throws: `TensorFileError` if it cannot be read, or is not the G of the notebook in any size.
  public init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    let prefix = file.tensors.contains { $0.name.hasPrefix("generator.") } ? "generator." : ""
    func weightShape(_ module: Int) throws -> [Int] {
      let shape = try file.tensor(named: "\(prefix)\(module).weight", dataType: .float32).shape
      guard shape.count == 2, shape.allSatisfy({ $0 > 0 }) else {
        throw TensorFileError(
          kind: .broken, path: path, message: "\(prefix)\(module).weight is no matrix")
      }
      return shape
    }
    let shapes = try [0, 3, 6, 9].map(weightShape)
    var architecture = Architecture(imageSize: shapes[3][0])
    architecture.noiseSize = shapes[0][1]
    architecture.generatorHiddenSizes = shapes[..<3].map { $0[0] }
    parameters = Generator.Parameters(architecture)
    state = try NetworkState(parameters.layout, buffers: parameters.bufferLayout)
    for arena in [state.parameters, state.buffers] {
      for entry in arena.layout.entries {
        try file.copyFloats(
          named: prefix + entry.name, shape: entry.shape, to: arena.tensor(entry))
      }
    }
    self.architecture = architecture
    (imageHeight, imageWidth) = Self.imageSides(file, path, pixels: architecture.imageSize)
  }

  /// G's images `[count, pixels]` in [-1, 1], in inference mode.
  /// - Parameter fillNoise: fills `[count, noiseSize]`.
  /// - Throws: `KernelError`.
  public func images(count: Int, fillNoise: (Matrix) -> Void) throws -> [Float] {
    try SampleImages.images(
      parameters, architecture, state: state, count: count, fillNoise: fillNoise)
  }

  /// Writes G's parameters and buffers, whole or not at all.
  /// - Throws: `TensorFileError`.
  public static func write(
    _ state: TrainingState, configuration: RunConfiguration, program: String, to path: String
  ) throws {
    let prefix = "generator."
    let tensors = state.tensors.filter { $0.name.hasPrefix(prefix) }.map {
      NamedTensor(
        name: String($0.name.dropFirst(prefix.count)), shape: $0.shape, values: $0.values)
    }
    try StateFile.write(
      tensors, batchesTracked: state.generator.batchesTracked,
      metadata: [
        "program": program, "image_height": "\(configuration.imageHeight)",
        "image_width": "\(configuration.imageWidth)",
      ], to: path)
  }

  /// What the file says of an image's sides, else a square, else one row.
  private static func imageSides(
    _ file: SafetensorsFile, _ path: String, pixels: Int
  ) -> (Int, Int) {
    var (height, width) = (
      Int(file.metadata["image_height"] ?? ""), Int(file.metadata["image_width"] ?? "")
    )
    if let checkpoint = try? Checkpoint(path: path) {
      (height, width) = (checkpoint.configuration.imageHeight, checkpoint.configuration.imageWidth)
    }
    if let height, let width, height > 0, width > 0,
      height.multipliedReportingOverflow(by: width) == (pixels, false)
    {
      return (height, width)
    }
    let side = Int(Double(pixels).squareRoot())
    return side * side == pixels ? (side, side) : (1, pixels)
  }
}

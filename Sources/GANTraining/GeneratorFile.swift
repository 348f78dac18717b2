import Collectives
import Matrices
import NeuralNetwork
import TensorFiles

/// A trained G on disk: `generator.safetensors`, whose names PyTorch's `load_state_dict` takes as they stand, or the
/// part of a checkpoint that is G.
public struct GeneratorFile {
  public let architecture: Architecture
  /// Rows and columns of an image, in pixels.
  public let imageHeight: Int
  public let imageWidth: Int
  private let path: String
  private let parameters: Generator.Parameters
  private let state: NetworkState

  /// Reads G; its sizes follow from the tensors' shapes, which must fit together.
  /// - Throws: `TensorFileError` if it cannot be read, is not the G of the notebook in any size, or has numbers that
  ///   nothing can be computed with; `MemoryError`.
  public init(path: String) throws {
    try self.init(SafetensorsFile(path: path))
  }

  /// Takes G out of a file that was read.
  /// - Throws: as ``init(path:)``.
  public init(_ file: SafetensorsFile) throws {
    let prefix = file.tensors.contains { $0.name.hasPrefix("generator.") } ? "generator." : ""
    let architecture = try Self.architecture(of: file, prefix)
    parameters = Generator.Parameters(architecture)
    // All of them, before memory is taken for any.
    for entry in parameters.layout.entries + parameters.bufferLayout.entries {
      _ = try file.tensor(named: prefix + entry.name, dataType: .float32, shape: entry.shape)
    }
    state = try NetworkState(parameters.layout, buffers: parameters.bufferLayout)
    for arena in [state.parameters, state.buffers] {
      for entry in arena.layout.entries {
        let tensor = NamedTensor(
          name: prefix + entry.name, shape: entry.shape, values: arena.tensor(entry))
        try file.copyFloats(
          named: tensor.name, shape: tensor.shape, mayBeNegative: tensor.mayBeNegative,
          to: tensor.values)
      }
    }
    path = file.path
    self.architecture = architecture
    (imageHeight, imageWidth) = Self.imageSides(file, pixels: architecture.imageSize)
  }

  /// The sizes of G: each weight takes what the one before it gives.
  private static func architecture(
    of file: SafetensorsFile, _ prefix: String
  ) throws -> Architecture {
    var sizes: [Int] = []
    for module in [0, 3, 6, 9] {
      let name = "\(prefix)\(module).weight"
      let shape = try file.tensor(named: name, dataType: .float32).shape
      guard shape.count == 2, shape.allSatisfy({ $0 > 0 }) else {
        throw TensorFileError(kind: .broken, path: file.path, message: "\(name) is no matrix")
      }
      guard let last = sizes.last ?? shape.last, shape[1] == last else {
        throw TensorFileError(
          kind: .broken, path: file.path,
          message: """
            \(name) takes \(shape[1]) numbers, but the layer before it gives \(sizes.last ?? 0)
            """)
      }
      if sizes.isEmpty { sizes.append(shape[1]) }
      sizes.append(shape[0])
    }
    var architecture = Architecture(imageSize: sizes[sizes.count - 1])
    architecture.noiseSize = sizes[0]
    architecture.generatorHiddenSizes = Array(sizes[1..<sizes.count - 1])
    return architecture
  }

  /// G's images `[count, pixels]` in [-1, 1], in inference mode.
  /// - Parameter fillNoise: fills `[count, noiseSize]`.
  /// - Throws: `KernelError`, `MemoryError`; `TensorFileError` if a pixel is no number.
  public func images(count: Int, fillNoise: (Matrix) -> Void) throws -> [Float] {
    let images = try SampleImages.images(
      parameters, architecture, state: state, count: count, fillNoise: fillNoise)
    if let index = images.firstIndex(where: { !$0.isFinite }) {
      let (image, pixel) = index.quotientAndRemainder(dividingBy: architecture.imageSize)
      throw TensorFileError(
        kind: .broken, path: path,
        message: """
          pixel \(pixel) of image \(image) comes out as \(images[index]): the weights, or the noise, \
          are too large to compute with
          """)
    }
    return images
  }

  /// What makes images for an evaluation. Every rank must call this.
  /// - Throws: `KernelError`, `MemoryError`, or what the collective throws.
  public func generatedImages(
    count: Int, seed: UInt64, over collective: any Collective
  ) throws -> GeneratedImages {
    try GeneratedImages(
      parameters, architecture, state: state, count: count, seed: seed, over: collective)
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
    _ file: SafetensorsFile, pixels: Int
  ) -> (Int, Int) {
    var (height, width) = (
      Int(file.metadata["image_height"] ?? ""), Int(file.metadata["image_width"] ?? "")
    )
    if let checkpoint = try? Checkpoint(file) {
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

import Files
import FoundationEssentials
import TensorFiles

/// What a run was set to: what must be the same for a run to go on.
public struct RunConfiguration: Equatable, Sendable, Codable {
  public var settings: TrainingSettings
  public var architecture: Architecture
  /// Rows and columns of an image, in pixels.
  public var imageHeight: Int
  public var imageWidth: Int
  /// SHA-256 of the training set's content.
  public var dataDigest: String
  /// Images of the training set; nil in files of version 0.1.
  public var imageCount: Int?
  /// The folder that the data were read from; nil in files of version 0.1, and where its name is no
  /// text.
  public var dataFolder: String?

  public init(
    settings: TrainingSettings, architecture: Architecture, imageHeight: Int, imageWidth: Int,
    dataDigest: String, imageCount: Int? = nil, dataFolder: String? = nil
  ) {
    self.imageCount = imageCount
    self.dataFolder = dataFolder
    self.settings = settings
    self.architecture = architecture
    self.imageHeight = imageHeight
    self.imageWidth = imageWidth
    self.dataDigest = dataDigest
  }
}

/// A run between two steps, in one safetensors file: tensors by the notebook's names, all else as metadata.
public struct Checkpoint {
  /// Counted up when files of before can no longer be read.
  public static let formatVersion = 1

  public let configuration: RunConfiguration
  public let position: RunPosition
  private let file: SafetensorsFile

  /// Reads and checks a file, its digest too.
  /// - Throws: `TensorFileError`.
  public init(path: String) throws {
    try self.init(try SafetensorsFile(path: path))
  }

  /// Takes a file that was read, and checks what its metadata say.
  /// - Throws: `TensorFileError`.
  public init(_ file: SafetensorsFile) throws {
    let version = try Self.text(.formatVersion, of: file)
    guard version == "\(Self.formatVersion)" else {
      throw Self.broken(
        file, "has format \(version.prefix(20)), but this program reads \(Self.formatVersion)")
    }
    let unfinished: UnfinishedEpoch = try Self.decode(.unfinishedEpoch, of: file)
    var position = RunPosition()
    position.history = try Self.decode(.history, of: file)
    position.step = try Self.decode(.step, of: file)
    position.sums = unfinished.sums
    position.seconds = unfinished.seconds
    guard position.isPossible else {
      throw Self.broken(file, "its history does not fit its step, \(position.step)")
    }
    configuration = try Self.decode(.configuration, of: file)
    do {
      try configuration.settings.validate()
    } catch {
      throw Self.broken(file, "its settings make no sense: \(error)")
    }
    self.position = position
    self.file = file
  }

  /// Copies all tensors into a state of the same architecture.
  /// - Throws: `TensorFileError` if one is missing, of another shape, or not of numbers to compute
  ///   with; the state is then of no use.
  public func load(into state: TrainingState) throws {
    for tensor in state.tensors {
      try file.copyFloats(
        named: tensor.name, shape: tensor.shape, mayBeNegative: tensor.mayBeNegative,
        to: tensor.values)
    }
  }

  /// Writes the checkpoint of a run, whole or not at all.
  /// - Parameter program: name and version of the program, for people.
  /// - Throws: `TensorFileError`.
  public static func write(
    _ state: TrainingState, position: RunPosition, configuration: RunConfiguration,
    program: String, to path: String
  ) throws {
    let epochs = position.history.count
    let metadata: [Key: String] = [
      .formatVersion: "\(formatVersion)", .program: program,
      .configuration: try json(configuration), .seed: "\(configuration.settings.seed)",
      .epoch: "\(epochs)", .step: "\(position.step)", .history: try json(position.history),
      .unfinishedEpoch: try json(
        UnfinishedEpoch(sums: position.sums, seconds: position.seconds)),
    ]
    try StateFile.write(
      state.tensors, batchesTracked: state.generator.batchesTracked,
      metadata: Dictionary(uniqueKeysWithValues: metadata.map { ($0.rawValue, $1) }), to: path)
  }

  /// SHA-256 of the training state alone: of each tensor in file order its name, NUL and its bytes,
  /// then "step", NUL and the step in decimal. 64 hexadecimal digits.
  /// - Throws: `TensorFileError` if the file is no checkpoint.
  public static func stateDigest(of file: SafetensorsFile) throws -> String {
    let step = try text(.step, of: file)
    var hasher = ContentDigest.Hasher()
    for tensor in file.tensors {
      hasher.update(tensor.name + "\0")
      file.withUnsafeBytes(of: tensor) { hasher.update($0) }
    }
    hasher.update("step\0" + step)
    return hasher.finish().hex
  }

  private enum Key: String {
    case formatVersion = "format_version"
    case program, configuration, seed, epoch, step, history
    case unfinishedEpoch = "unfinished_epoch"
  }

  private struct UnfinishedEpoch: Codable {
    let sums: LossSummary
    let seconds: Double
  }

  private static func text(_ key: Key, of file: SafetensorsFile) throws -> String {
    guard let value = file.metadata[key.rawValue] else {
      throw broken(
        file, "is no checkpoint of gan-dist: its metadata has no \(key.rawValue)")
    }
    return value
  }

  /// Metadata that are wrong; they are in the header, which begins at byte 8.
  private static func broken(_ file: SafetensorsFile, _ message: String) -> TensorFileError {
    TensorFileError(kind: .broken, path: file.path, byteOffset: 8, message: message)
  }

  private static func decode<Value: Decodable>(
    _ key: Key, of file: SafetensorsFile
  ) throws -> Value {
    let text = try text(key, of: file)
    do {
      return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    } catch {
      throw broken(file, "its \(key.rawValue) makes no sense: \(error)")
    }
  }

  private static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// What checkpoints and generator files have in common.
enum StateFile {
  /// Writes float32 tensors, and behind each `running_var` PyTorch's `num_batches_tracked`.
  static func write(
    _ tensors: [NamedTensor], batchesTracked: Int, metadata: [String: String], to path: String
  ) throws {
    var counter = Int64(batchesTracked).littleEndian
    try withUnsafeBytes(of: &counter) { counterBytes in
      var all: [SafetensorsWriter.Tensor] = []
      for tensor in tensors {
        all.append(
          SafetensorsWriter.Tensor(
            name: tensor.name, dataType: .float32, shape: tensor.shape,
            bytes: UnsafeRawBufferPointer(tensor.values)))
        if tensor.name.hasSuffix(".running_var") {
          all.append(
            SafetensorsWriter.Tensor(
              name: String(tensor.name.dropLast("running_var".count)) + "num_batches_tracked",
              dataType: .int64, shape: [], bytes: counterBytes))
        }
      }
      try SafetensorsWriter.write(all, metadata: metadata, to: path)
    }
  }
}

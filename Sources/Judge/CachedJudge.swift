import Files
import NeuralNetwork
import TensorFiles

/// The weights of a judge in a file that a run left for others: a safetensors file, whose content is checked by the
/// SHA-256 inside it.
public struct CachedJudge: Sendable {
  /// `[parameters]`, tensor by tensor, without the gaps of an arena.
  public let weights: [Float]

  /// - Parameter weights: as those that another rank has read.
  public init(weights: [Float]) { self.weights = weights }

  /// Reads the weights; nil if the file is missing, damaged, or of another judge: it is written anew then.
  public init?(path: String, pixels: Int, classCount: Int) {
    let layout = Classifier.Parameters(pixels: pixels, classCount: classCount).layout
    guard let file = try? SafetensorsFile(path: path),
      let arena = try? ParameterArena(layout)
    else { return nil }
    for entry in layout.entries {
      guard
        (try? file.copyFloats(
          named: entry.name, shape: entry.shape, mayBeNegative: true, to: arena.tensor(entry)))
          != nil
      else { return nil }
    }
    weights = layout.entries.flatMap { Array(arena.tensor($0)) }
  }

  func fits(_ layout: Classifier.Parameters) -> Bool {
    weights.count == layout.layout.parameterCount
  }

  func copy(into arena: ParameterArena) {
    var place = 0
    for entry in arena.layout.entries {
      let tensor = arena.tensor(entry)
      _ = tensor.update(fromContentsOf: weights[place..<place + entry.count])
      place += entry.count
    }
  }

  /// The name of the file of a data set's judge. How judges are trained is part of it: `version` counts that.
  /// - Parameters:
  ///   - dataDigest: of the training images and labels.
  ///   - arithmetic: what the bits depend on besides.
  public static func fileName(dataDigest: ContentDigest, arithmetic: String) -> String {
    var hasher = ContentDigest.Hasher()
    hasher.update("\(version) \(dataDigest.hex) \(arithmetic)")
    return "judge-\(hasher.finish().short).safetensors"
  }

  private static let version = 1

  /// The folder for what programs can make again: `gan-dist` in the one that the XDG Base Directory Specification
  /// names; nil if the environment tells none.
  public static func folder(_ environment: (String) -> String?) -> String? {
    // A relative path is to be ignored, says the specification.
    if let cache = environment("XDG_CACHE_HOME"), cache.hasPrefix("/") {
      return "\(cache)/gan-dist"
    }
    guard let home = environment("HOME"), home.hasPrefix("/") else { return nil }
    return "\(home)/.cache/gan-dist"
  }
}

extension Judge {
  /// Writes the weights, whole or not at all.
  /// - Throws: `TensorFileError`.
  public func write(to path: String, program: String) throws {
    try SafetensorsWriter.write(
      parameters.layout.entries.map {
        SafetensorsWriter.Tensor(
          name: $0.name, dataType: .float32, shape: $0.shape,
          bytes: UnsafeRawBufferPointer(parameters.tensor($0)))
      }, metadata: ["program": program, "judge": digest.hex], to: path)
  }
}

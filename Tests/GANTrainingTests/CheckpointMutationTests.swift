import Foundation
import TensorFiles
import TestSupport
import Testing

@testable import GANTraining

/// What a checkpoint's metadata say of the run: settings, history, place.
@Suite struct CheckpointMutationTests {
  private static let metadata = [
    "format_version": "1", "step": "130", "seed": "0", "epoch": "1", "program": "test",
    "configuration": """
    {"architecture":{"discriminatorHiddenSizes":[512,256],"generatorHiddenSizes":[128,256,512],\
    "imageSize":784,"leakyReLUSlope":0.2,"noiseSize":64},"dataDigest":"38831b7b","imageHeight":28,\
    "imageWidth":28,"settings":{"adam":{"beta1":0.5,"beta2":0.999,"epsilon":1e-08,\
    "learningRate":0.0001},"dropout":0.3,"epochs":2,"globalBatchSize":600,"labelSmoothing":0.1,\
    "seed":0}}
    """,
    "history": """
    [{"epoch":1,"imagesPerSecond":29864.8,"means":{"discriminatorLoss":0.839,"generatorLoss":1.699,\
    "probabilityOfFake":0.29,"probabilityOfReal":0.81},"seconds":2.009,"steps":100}]
    """,
    "unfinished_epoch": """
    {"seconds":0.5,"sums":{"discriminatorLoss":20.5,"generatorLoss":40,"probabilityOfFake":9,\
    "probabilityOfReal":21}}
    """,
  ]

  /// A file without tensors whose metadata are these.
  private func file(_ metadata: [String: String]) throws -> SafetensorsFile {
    let header = Array(try JSONEncoder().encode(["__metadata__": metadata]))
    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
    return try (length + header).withUnsafeBytes {
      try SafetensorsFile(copying: $0, path: "a.safetensors")
    }
  }

  @Test func soundMetadataAreRead() throws {
    let checkpoint = try Checkpoint(file(Self.metadata))
    #expect(checkpoint.position.step == 130)
    #expect(checkpoint.configuration.settings.globalBatchSize == 600)
    // Files of version 0.1 do not tell of these.
    #expect(checkpoint.configuration.imageCount == nil)
    #expect(checkpoint.configuration.dataFolder == nil)
  }

  @Test(arguments: [
    ("step", "99"), ("step", "-1"), ("format_version", "2"), ("history", "[]x"),
    ("configuration", "{}"),
  ])
  func nonsenseIsRefused(key: String, value: String) throws {
    var metadata = Self.metadata
    metadata[key] = value
    let file = try file(metadata)
    #expect(throws: TensorFileError.self) { try Checkpoint(file) }
  }

  /// JSON that is sound, but whose values are at their limits.
  @Test func numbersOfTheMetadataMayBeAnything() throws {
    let numbers = [
      "-9223372036854775808", "-1", "0", "1", "2147483648", "4294967296", "4294967297",
      "9223372036854775807", "18446744073709551615", "1e308", "-1e308", "1e-320", "null", "\"1\"",
      "[]", "{}",
    ]
    let fields = [
      ("configuration", "imageSize"), ("configuration", "noiseSize"),
      ("configuration", "imageHeight"), ("configuration", "imageWidth"),
      ("configuration", "epochs"), ("configuration", "globalBatchSize"), ("configuration", "seed"),
      ("configuration", "learningRate"), ("configuration", "dropout"), ("history", "epoch"),
      ("history", "steps"), ("history", "seconds"), ("history", "imagesPerSecond"),
      ("history", "discriminatorLoss"), ("unfinished_epoch", "seconds"),
      ("unfinished_epoch", "generatorLoss"),
    ]
    var (accepted, refused) = (0, 0)
    func tryReading(_ metadata: [String: String]) throws {
      let file = try file(metadata)
      do {
        let checkpoint = try Checkpoint(file)
        #expect(checkpoint.position.isPossible)
        try checkpoint.configuration.settings.validate()
        accepted += 1
      } catch let error as TensorFileError {
        #expect(error.kind == .broken && error.byteOffset == 8)
        refused += 1
      }
    }
    for number in numbers {
      for (key, field) in fields {
        var metadata = Self.metadata
        let text = try #require(metadata[key])
        let member = try Regex("\"\(field)\":[^,}]*")
        #expect(text.contains(member), "\(field)")
        metadata[key] = text.replacing(member, with: "\"\(field)\":\(number)")
        try tryReading(metadata)
      }
      var metadata = Self.metadata
      metadata["step"] = number
      try tryReading(metadata)
    }
    #expect(accepted > 20 && refused > 100)
  }

  /// A record's number goes into a table, a picture and a file's name.
  @Test func epochsAreNumberedFromOne() throws {
    var metadata = Self.metadata
    metadata["history"] = metadata["history"]?.replacing("\"epoch\":1", with: "\"epoch\":-7")
    let file = try file(metadata)
    #expect(throws: TensorFileError.self) { try Checkpoint(file) }
  }

  @Test(.timeLimit(.minutes(10)))
  func metadataStandAnyDamage() throws {
    let keys = ["configuration", "history", "unfinished_epoch", "step"]
    var turn = 0
    let trial = try MutationTrial(
      of: "checkpoint metadata", path: "a.safetensors",
      originals: keys.map { Array((Self.metadata[$0] ?? "").utf8) }
    ) { input in
      var metadata = Self.metadata
      metadata[keys[turn % keys.count]] =
        String(decoding: input, as: UTF8.self).replacingOccurrences(of: "\0", with: " ")
      turn += 1
      do {
        let checkpoint = try Checkpoint(file(metadata))
        #expect(checkpoint.position.isPossible)
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(trial.complaints.isEmpty, "\(trial.complaints.joined(separator: "\n"))")
    #expect(trial.acceptedCount > 100)
    #expect(trial.refusedCount > MutationTrial.inputCount / 4)
  }
}

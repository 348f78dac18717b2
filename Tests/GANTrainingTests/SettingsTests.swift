import Foundation
import Matrices
import Testing

@testable import GANTraining

@Suite struct SettingsTests {
  private static let nonsense: [(String, @Sendable (inout TrainingSettings) -> Void)] = [
    ("--epochs", { $0.epochs = -1 }), ("--max-steps", { $0.maximumSteps = -1 }),
    ("--batch-size", { $0.globalBatchSize = 1 }),
    ("--learning-rate", { $0.adam.learningRate = 0 }),
    ("--learning-rate", { $0.adam.learningRate = .nan }),
    ("--learning-rate", { $0.adam.learningRate = .infinity }),
    ("--beta1", { $0.adam.beta1 = 1 }), ("--beta2", { $0.adam.beta2 = -0.1 }),
    ("--beta2", { $0.adam.beta2 = .nan }), ("--label-smoothing", { $0.labelSmoothing = 1 }),
    ("--dropout", { $0.dropout = 1 }), ("--dropout", { $0.dropout = -0.5 }),
  ]

  @Test func theNotebooksSettingsAreTheDefaults() throws {
    let settings = TrainingSettings()
    try settings.validate()
    #expect(settings.epochs == 100)
    #expect(settings.globalBatchSize == 64)
    #expect(settings.adam == .init(learningRate: 1e-4, beta1: 0.5, beta2: 0.999, epsilon: 1e-8))
    #expect(1 - settings.labelSmoothing == 0.9)
    #expect(settings.dropout == 0.3)
    #expect(settings.stepsPerEpoch(imageCount: 60_000) == 937)
    #expect(settings.totalSteps(imageCount: 60_000) == 93_700)
  }

  @Test(arguments: nonsense)
  func nonsenseIsRefusedByName(
    setting: String, change: @Sendable (inout TrainingSettings) -> Void
  ) throws {
    var settings = TrainingSettings()
    change(&settings)
    let error = try #require(throws: TrainingSettings.Invalid.self) { try settings.validate() }
    #expect(error.setting == setting)
  }

  @Test func aBatchLargerThanTheDataIsRefused() {
    #expect(throws: TrainingSettings.Invalid.self) {
      try TrainingSettings().validate(imageCount: 63, pixelsPerImage: 784)
    }
    #expect(throws: Never.self) {
      try TrainingSettings().validate(imageCount: 64, pixelsPerImage: 729)
    }
    var settings = TrainingSettings()
    settings.precision = .bfloat16
    #expect(throws: TrainingSettings.Invalid.self) {
      try settings.validate(imageCount: 64, pixelsPerImage: 729)
    }
  }

  @Test func settingsOfBeforeAreFloat32() throws {
    var settings = TrainingSettings()
    #expect(settings.precision == .float32)
    settings.precision = .bfloat16
    settings.dropout = 0.25
    let text = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
    func decoded(_ text: String) throws -> TrainingSettings {
      try JSONDecoder().decode(TrainingSettings.self, from: Data(text.utf8))
    }
    #expect(try decoded(text) == settings)
    let field = "\"precision\":\"bfloat16\""
    try #require(text.contains(field))
    let before = text.replacingOccurrences(of: ",\(field)", with: "")
      .replacingOccurrences(of: "\(field),", with: "")
    #expect(try decoded(before).precision == .float32)
    #expect(try decoded(before).dropout == 0.25)
    #expect(throws: DecodingError.self) {
      try decoded(text.replacingOccurrences(of: "bfloat16", with: "float8"))
    }
  }

  /// Settings of version 0.1 may name a size of shards, which nothing has now.
  @Test func settingsWithShardsAreRead() throws {
    let text = String(decoding: try JSONEncoder().encode(TrainingSettings()), as: UTF8.self)
    let before = text.replacingOccurrences(
      of: "{\"", with: "{\"logicalShardSize\":16,\"", options: [], range: text.range(of: "{\""))
    try #require(before != text)
    #expect(
      try JSONDecoder().decode(TrainingSettings.self, from: Data(before.utf8))
        == TrainingSettings())
  }

  @Test func bfloat16NeedsItsProcessor() throws {
    var settings = TrainingSettings()
    try settings.validate(instructionSets: [.avx2])
    settings.precision = .bfloat16
    try settings.validate(instructionSets: [.avx512BF16])
    let error = try #require(throws: TrainingSettings.Invalid.self) {
      try settings.validate(
        instructionSets: [.avx512BF16, .avx2, .avx512],
        rankNames: ["rank 0 on a", "rank 1 on b", "rank 2 on b"])
    }
    #expect(error.setting == "--precision")
    #expect(error.reason.contains("AVX2 on rank 1 on b"))
  }

  /// Processors without FMA round twice: among others they cannot give the bits that are promised.
  @Test func ranksNeedProcessorsOfOneKind() throws {
    let settings = TrainingSettings()
    let unlike: [InstructionSet] = [.avx512, .avx2, .avx]
    let names = ["rank 0 on a", "rank 1 on b", "rank 2 on c"]
    try settings.validate(instructionSets: [.avx512BF16, .avx2, .avx512], rankNames: names)
    try settings.validate(instructionSets: [.avx, .sse2, .sse42], rankNames: names)
    let error = try #require(throws: TrainingSettings.Invalid.self) {
      try settings.validate(instructionSets: unlike, rankNames: names)
    }
    #expect(error.setting == "the processors")
    #expect(error.reason.contains("AVX-512 on rank 0 on a and AVX on rank 2 on c"))
    #expect(error.reason.contains("LIBXSMM_TARGET=snb"))
  }

  @Test func maximumStepsCutTheRunShort() {
    var settings = TrainingSettings()
    settings.maximumSteps = 1000
    #expect(settings.totalSteps(imageCount: 60_000) == 1000)
    settings.epochs = 1
    #expect(settings.totalSteps(imageCount: 60_000) == 937)
  }
}

@Suite struct LearningRateDecayTests {
  @Test func theRateFallsInAStraightLineToTheEnd() {
    var settings = TrainingSettings()
    settings.epochs = 4
    #expect(settings.learningRateFactor(step: 9, stepsPerEpoch: 5) == 1)
    settings.learningRateDecay = .linear
    #expect(settings.learningRateFactor(step: 0, stepsPerEpoch: 5) == 1)
    #expect(settings.learningRateFactor(step: 5, stepsPerEpoch: 5) == 0.75)
    #expect(settings.learningRateFactor(step: 19, stepsPerEpoch: 5) == 1 - 19.0 / 20)
    #expect(settings.learningRateFactor(step: 40, stepsPerEpoch: 5) == 0)
    // A limit of steps does not make it fall faster.
    settings.maximumSteps = 10
    #expect(settings.learningRateFactor(step: 5, stepsPerEpoch: 5) == 0.75)
  }

  @Test func itIsRememberedAndTheNotebooksIsNotWritten() throws {
    var settings = TrainingSettings()
    let usual = String(decoding: try JSONEncoder().encode(settings), as: UTF8.self)
    #expect(!usual.contains("learningRateDecay"))
    settings.learningRateDecay = .linear
    let again = try JSONDecoder().decode(
      TrainingSettings.self, from: JSONEncoder().encode(settings))
    #expect(again == settings && again.learningRateDecay == .linear)
  }
}

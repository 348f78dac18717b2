import Matrices
import NeuralNetwork

/// How the learning rate changes while a run trains.
public enum LearningRateDecay: String, Equatable, Sendable, Codable, CaseIterable {
  /// It does not: the notebook's.
  case none
  /// In a straight line from the learning rate, before the first step, to 0, after the last one of all epochs.
  case linear
}

/// What a run computes: with the data, these determine every number. Defaults are the notebook's.
public struct TrainingSettings: Equatable, Sendable, Codable {
  public var epochs = 100
  /// Stop after this many global steps, even within an epoch; nil for no limit.
  public var maximumSteps: Int?
  /// B, in samples over all ranks.
  public var globalBatchSize = 64
  public var adam = Adam.Settings()
  /// D is told that real images are real with probability 1 - labelSmoothing.
  public var labelSmoothing = 0.1
  /// The probability that a unit of D is dropped.
  public var dropout = 0.3
  public var seed: UInt64 = 0
  /// Global steps that have random numbers of their own.
  static let mostSteps = 1 << 32

  /// The precision in the settings' file; absent in files of programs that knew float32 only.
  private var storedPrecision: Precision? = .float32

  /// In which numbers matrix products take their factors.
  public var precision: Precision {
    get { storedPrecision ?? .float32 }
    set { storedPrecision = newValue }
  }

  /// The decay in the settings' file; absent in files of programs that knew none.
  private var storedDecay: LearningRateDecay?

  /// How the learning rate changes.
  public var learningRateDecay: LearningRateDecay {
    get { storedDecay ?? .none }
    // The notebook's is not written, so that older programs read the file.
    set { storedDecay = newValue == .none ? nil : newValue }
  }

  private enum CodingKeys: String, CodingKey {
    case epochs, maximumSteps, globalBatchSize, adam, labelSmoothing, dropout, seed
    case storedPrecision = "precision"
    case storedDecay = "learningRateDecay"
  }

  public init() {}

  /// Whole batches an epoch; images that do not fill one are left out (PyTorch's `drop_last`).
  public func stepsPerEpoch(imageCount: Int) -> Int { imageCount / globalBatchSize }

  /// What the learning rate is multiplied by in a global step, counted from 0. It depends on ``epochs``, not on
  /// ``maximumSteps``.
  public func learningRateFactor(step: Int, stepsPerEpoch: Int) -> Double {
    switch learningRateDecay {
    case .none: 1
    case .linear: max(0, 1 - Double(step) / Double(max(epochs * stepsPerEpoch, 1)))
    }
  }

  /// Global steps of the whole run.
  public func totalSteps(imageCount: Int) -> Int {
    let allEpochs = epochs * stepsPerEpoch(imageCount: imageCount)  // validate() sees to the size.
    return min(allEpochs, maximumSteps ?? allEpochs)
  }
}

extension TrainingSettings {
  /// A setting that makes no sense: which one, and why.
  public struct Invalid: Error, CustomStringConvertible {
    public let setting: String
    public let reason: String

    public init(setting: String, reason: String) {
      self.setting = setting
      self.reason = reason
    }

    public var description: String { "\(setting) \(reason)" }
  }

  /// Checks all that can be checked without data.
  /// - Throws: ``Invalid``, by the name of the command line's option.
  public func validate() throws {
    func demand(_ holds: Bool, _ setting: String, _ reason: String) throws {
      if !holds { throw Invalid(setting: setting, reason: reason) }
    }
    try demand(epochs >= 0, "--epochs", "must not be negative, but is \(epochs)")
    try demand(
      maximumSteps ?? 1 >= 0, "--max-steps", "must not be negative, but is \(maximumSteps ?? 0)")
    try demand(
      globalBatchSize >= 2, "--batch-size",
      "must be at least 2 (one row has no variance), but is \(globalBatchSize)")
    try demand(
      adam.learningRate > 0 && adam.learningRate.isFinite, "--learning-rate",
      "must be a positive number, but is \(adam.learningRate)")
    try demand(
      (0..<1).contains(adam.beta1), "--beta1", "must be in 0 ..< 1, but is \(adam.beta1)")
    try demand(
      (0..<1).contains(adam.beta2), "--beta2", "must be in 0 ..< 1, but is \(adam.beta2)")
    try demand(
      (0..<1).contains(labelSmoothing), "--label-smoothing",
      "must be in 0 ..< 1, but is \(labelSmoothing)")
    try demand((0..<1).contains(dropout), "--dropout", "must be in 0 ..< 1, but is \(dropout)")
  }

  /// Checks what needs certain processors.
  /// - Parameters:
  ///   - instructionSets: what each rank uses of its processor.
  ///   - rankNames: what people call the ranks; nil where only one is asked for.
  /// - Throws: ``Invalid``, on every rank for the same instruction sets.
  public func validate(instructionSets: [InstructionSet], rankNames: [String]? = nil) throws {
    func place(_ rank: Int) -> String { rankNames.map { " on \($0[rank])" } ?? "" }
    let needed = precision.neededInstructionSet
    if let slow = instructionSets.firstIndex(where: { $0 < needed }) {
      throw Invalid(
        setting: "--precision",
        reason: """
          \(precision.rawValue) needs a processor with \(needed), but there is \
          \(instructionSets[slow])\(place(slow)) (the processor's best, or LIBXSMM_TARGET's limit)
          """)
    }
    if let first = instructionSets.first,
      let unlike = instructionSets.firstIndex(where: {
        $0.fusesMultiplyAdd != first.fusesMultiplyAdd
      })
    {
      throw Invalid(
        setting: "the processors",
        reason: """
          must give the same bits on all ranks, but products round once with FMA and twice without: there is \
          \(first)\(place(0)) and \(instructionSets[unlike])\(place(unlike)). Take processors of one kind, or set \
          LIBXSMM_TARGET=\(min(first, instructionSets[unlike]).target) on all hosts
          """)
    }
  }

  /// Checks what needs the data.
  /// - Throws: ``Invalid``.
  public func validate(imageCount: Int, pixelsPerImage: Int) throws {
    guard precision == .float32 || pixelsPerImage.isMultiple(of: 2) else {
      throw Invalid(
        setting: "--precision",
        reason: """
          is \(precision.rawValue), whose factors come in pairs, but an image of the data set has \
          \(pixelsPerImage) pixels: take float32
          """)
    }
    guard globalBatchSize <= imageCount else {
      throw Invalid(
        setting: "--batch-size",
        reason: "is \(globalBatchSize), more than the \(imageCount) images of the data set")
    }
    let (steps, overflow) = epochs.multipliedReportingOverflow(
      by: stepsPerEpoch(imageCount: imageCount))
    guard !overflow && steps <= Self.mostSteps else {
      throw Invalid(
        setting: "--epochs",
        reason: "is \(epochs), which makes more than the 2^32 steps that have random numbers")
    }
  }
}

import ArgumentParser
import GANTraining
import Matrices
import NeuralNetwork
import Runs

/// The options that determine what is computed. Those not given are the checkpoint's, else the notebook's.
struct TrainingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A set of options by name: notebook (default), fast, or best.",
      discussion: """
        fast is --epochs 20 --learning-rate 1e-3 --learning-rate-decay linear, and best the same with --epochs 100. An \
        option that is given wins.
        """, valueName: "notebook|fast|best"))
  var recipe: Recipe?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Passes over the data set (default: 100).", valueName: "n"),
    transform: NumberOption<Int>.whole("--epochs", 0...(1 << 32)).parse)
  var epochs: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Stop after this many steps, even within an epoch.", valueName: "n"),
    transform: NumberOption<Int>.whole("--max-steps", 0...(1 << 32)).parse)
  var maxSteps: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Images a step, over all ranks together (default: 64).", valueName: "n"),
    transform: NumberOption<Int>.whole("--batch-size", 2...Int.max, note: "one row has no variance")
      .parse)
  var batchSize: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Images a step and rank: the batch grows with the ranks. Instead of --batch-size.",
      valueName: "n"),
    transform: NumberOption<Int>.whole("--batch-size-per-rank", 1...Int.max).parse)
  var batchSizePerRank: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Adam's learning rate (default: 1e-4).", valueName: "x"),
    transform: NumberOption<Double>.decimal(
      "--learning-rate", "must be a positive number", { $0 > 0 }
    ).parse)
  var learningRate: Double?

  @Option(
    help: ArgumentHelp(
      "How the learning rate changes: none (default), or linear, to 0 at the end of --epochs.",
      valueName: "none|linear"))
  var learningRateDecay: LearningRateDecay?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Adam's decay of the first moment (default: 0.5).", valueName: "x"),
    transform: NumberOption<Double>.share("--beta1").parse)
  var beta1: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Adam's decay of the second moment (default: 0.999).", valueName: "x"),
    transform: NumberOption<Double>.share("--beta2").parse)
  var beta2: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "D learns that real images are real with 1 minus this (default: 0.1).", valueName: "x"),
    transform: NumberOption<Double>.share("--label-smoothing").parse)
  var labelSmoothing: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Probability that a unit of D is dropped (default: 0.3).", valueName: "x"),
    transform: NumberOption<Double>.share("--dropout").parse)
  var dropout: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Determines every random number of the run (default: 0).", valueName: "n"),
    transform: NumberOption<UInt64>.whole("--seed", 0...UInt64.max).parse)
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "Numbers that matrix products multiply: float32 (default), or bfloat16.",
      discussion: """
        bfloat16 is faster, needs a processor with AVX-512 BF16, and rounds factors to 8 bits. Their products are \
        added up in float32, which weights, gradients and all else stay.
        """, valueName: "float32|bfloat16"))
  var precision: Precision?

  @Flag(help: "Let the options given win over those that a resumed run was begun with.")
  var override = false

  func validate() throws {
    if batchSize != nil && batchSizePerRank != nil {
      throw ValidationError(
        "--batch-size and --batch-size-per-rank exclude each other: give one of them.")
    }
    do {
      // A lone rank may have too small a share where many ranks together have enough: two stand for many.
      _ = try settings(rankCount: 2, resuming: nil)
    } catch let error as TrainingSettings.Invalid {
      throw ValidationError("\(error).")
    }
  }

  /// The settings of the run, for a number of ranks.
  /// - Parameters:
  ///   - begun: the settings that a resumed run was begun with.
  ///   - step: the steps that it has behind it.
  /// - Throws: `TrainingSettings.Invalid` for nonsense, and for what a resumed run cannot change.
  func settings(
    rankCount: Int, resuming begun: TrainingSettings?, afterStep step: Int = 0
  ) throws -> TrainingSettings {
    var settings = begun ?? TrainingSettings()
    func set<Value: Equatable>(
      _ name: String, _ path: WritableKeyPath<TrainingSettings, Value>, _ value: Value?,
      difference: (_ begun: Value) -> String? = { _ in nil }
    ) throws {
      guard let value else { return }
      if begun != nil && settings[keyPath: path] != value && !override {
        throw TrainingSettings.Invalid(
          setting: name,
          reason: """
            is \(difference(settings[keyPath: path])
              ?? "\(value), but the run was begun with \(settings[keyPath: path])"); leave it out, \
            or add --override to go on with another
            """)
      }
      settings[keyPath: path] = value
    }
    let epochs = epochs ?? recipe?.epochs
    if (learningRateDecay ?? recipe?.learningRateDecay ?? settings.learningRateDecay) == .linear {
      // The rate of every step depends on which is the last one.
      try set(self.epochs == nil ? "--recipe" : "--epochs", \.epochs, epochs) { begun in
        "made for \(epochs ?? begun) epochs, but the run's learning rate falls to 0 at epoch \(begun)"
      }
    }
    // Else how long to train is not a property of what was trained.
    settings.epochs = epochs ?? settings.epochs
    if epochs != nil && settings.maximumSteps ?? .max <= step {
      // A limit that was reached has done its work when another end is named.
      settings.maximumSteps = nil
    }
    settings.maximumSteps = maxSteps ?? settings.maximumSteps
    try set("--batch-size", \.globalBatchSize, batchSize)
    let product = try globalBatchSize(rankCount)
    try set("--batch-size-per-rank", \.globalBatchSize, product) { begun in
      "\(batchSizePerRank ?? 0) a rank x \(Phrases.count(rankCount, "rank")) = \(product ?? 0); "
        + "the run was begun with \(begun) in all"
    }
    try set(
      learningRate == nil ? "--recipe" : "--learning-rate", \.adam.learningRate,
      learningRate ?? recipe?.learningRate
    ) { begun in
      learningRate != nil
        ? nil : "\(recipe?.rawValue ?? ""), but the run was begun with the learning rate \(begun)"
    }
    try set(
      learningRateDecay == nil ? "--recipe" : "--learning-rate-decay", \.learningRateDecay,
      learningRateDecay ?? recipe?.learningRateDecay
    ) { begun in
      learningRateDecay != nil
        ? nil : "\(recipe?.rawValue ?? ""), but the run was begun with the decay \(begun)"
    }
    try set("--beta1", \.adam.beta1, beta1)
    try set("--beta2", \.adam.beta2, beta2)
    try set("--label-smoothing", \.labelSmoothing, labelSmoothing)
    try set("--dropout", \.dropout, dropout)
    try set("--seed", \.seed, seed)
    try set("--precision", \.precision, precision)
    try settings.validate()
    return settings
  }

  private func globalBatchSize(_ rankCount: Int) throws -> Int? {
    guard let batchSizePerRank else { return nil }
    let (product, overflow) = batchSizePerRank.multipliedReportingOverflow(by: rankCount)
    guard !overflow else {
      throw TrainingSettings.Invalid(
        setting: "--batch-size-per-rank", reason: "\(batchSizePerRank) is too many")
    }
    return product
  }
}

extension Precision: ExpressibleByArgument {}

extension LearningRateDecay: ExpressibleByArgument {}

extension Recipe: ExpressibleByArgument {}

import Matrices
import NeuralNetwork

/// Means over a global batch (or over several): the same on every rank.
public struct LossSummary: Equatable, Sendable, Codable {
  /// D's loss: on real against 0.9, on fake against 0, in nats.
  public var discriminatorLoss = 0.0
  /// G's loss: D(G(z)) against 1, in nats.
  public var generatorLoss = 0.0
  /// Mean D(real).
  public var probabilityOfReal = 0.0
  /// Mean D(G(z)) of the discriminator step.
  public var probabilityOfFake = 0.0

  public init() {}

  /// Whether all four are numbers.
  var isFinite: Bool {
    discriminatorLoss.isFinite && generatorLoss.isFinite && probabilityOfReal.isFinite
      && probabilityOfFake.isFinite
  }
}

/// One global training step, planned once for this rank's rows of the batch.
///
/// The page *The training step* walks through it. Nothing is allocated in a step.
public final class TrainingStep {
  /// Times that a step runs G in training mode, which moves its running statistics: G(z1) and G(z2).
  static let generatorPasses = 2

  /// The rows of this rank.
  public let shard: Shard
  /// Where the real images of the step are to be written before ``run(random:stopRequested:)``.
  public let realImages: [RealImages]

  /// Real images of one logical shard.
  public struct RealImages {
    /// Rows of the global batch.
    public let globalRows: Range<Int>
    /// `[rows, pixels]`.
    public let images: Matrix
  }

  private let collective: any Collective
  private let state: TrainingState
  private let settings: TrainingSettings
  private let rows: DiscriminatorRows
  private let generatorWeights, discriminatorWeights: ProductWeights
  /// The step whose weights products see.
  private var roundedStep = -1
  /// G(z1) above, G(z2) below: one product for both.
  private let generator: Generator
  private let discriminatorOnBoth: Discriminator
  private let discriminatorOnFake: Discriminator
  private let imagesOfBoth: Matrix
  private let discriminatorReduction: any Reduction
  private let generatorReduction: any Reduction
  private let lossSums: SumExchange
  /// What each logical shard of this rank adds to the losses, `[shards, losses]`.
  private let lossesOfShards: UnsafeMutableBufferPointer<Double>
  private let workspace = Workspace()

  private enum Loss: Int, CaseIterable {
    case ofDiscriminator, ofGenerator, probabilityOfReal, probabilityOfFake
  }

  /// Plans the step. Every rank must call this.
  /// - Throws: `KernelError`, `MemoryError`, or what the collective throws.
  public init(_ state: TrainingState, settings: TrainingSettings, batch: DistributedBatch) throws {
    self.state = state
    self.settings = settings
    let (collective, shard) = (batch.collective, batch.shard)
    self.collective = collective
    self.shard = shard
    let (rowCount, architecture) = (shard.rowCount, state.architecture)
    let rows = DiscriminatorRows(shard)
    self.rows = rows
    generatorWeights = try ProductWeights(
      state.generator.parameters, settings.precision, in: state.generator.replicas)
    discriminatorWeights = try ProductWeights(
      state.discriminator.parameters, settings.precision, in: state.discriminator.replicas)
    discriminatorReduction = try collective.makeReduction(
      name: "D.gradients", of: state.discriminatorParameters.layout, over: shard.partition)
    generatorReduction = try collective.makeReduction(
      name: "G.gradients", of: state.generatorParameters.layout, over: shard.partition)

    generator = try Generator(
      state.generatorParameters, architecture, state: state.generator, weights: generatorWeights,
      gradients: PartialGradients(generatorReduction.parts, shard: shard),
      images: try Signal(
        rows: Self.generatorPasses * rowCount, features: architecture.imageSize,
        differentiableRows: rowCount, in: workspace),
      passes: Self.generatorPasses, batch: batch)

    let images = try workspace.matrix(rows: 2 * rowCount, columns: architecture.imageSize)
    imagesOfBoth = images
    realImages = zip(shard.logicalShards, rows.real).map { own, real in
      RealImages(
        globalRows: shard.firstRow + own.lowerBound..<shard.firstRow + own.upperBound,
        images: images.rows(real))
    }
    discriminatorOnBoth = try Discriminator(
      state.discriminatorParameters, architecture, state: state.discriminator,
      weights: discriminatorWeights,
      gradients: PartialGradients(discriminatorReduction.parts, shard: shard, rowsPerSample: 2),
      images: Signal(value: images, gradient: nil), dropout: settings.dropout,
      name: "D(real, fake)")
    discriminatorOnFake = try Discriminator(
      state.discriminatorParameters, architecture, state: state.discriminator,
      weights: discriminatorWeights, gradients: nil,
      images: Signal(
        value: generator.images.differentiableValue, gradient: generator.images.gradient),
      dropout: settings.dropout, name: "D(G(z2))")

    lossSums = try SumExchange(name: "losses", count: Loss.allCases.count, over: batch)
    lossesOfShards = try workspace.zeros(count: shard.logicalShards.count * Loss.allCases.count)
  }

  /// What all ranks know after a step.
  public struct Outcome: Sendable {
    /// Means over the global batch.
    public let losses: LossSummary
    /// Whether any rank was asked to stop.
    public let stopRequested: Bool
  }

  /// Trains D, then G, on ``realImages``. Every rank must call this.
  /// - Parameter stopRequested: whether this rank was asked to stop.
  /// - Returns: the same on every rank.
  /// - Throws: ``TrainingFailure`` for losses or gradients that are no numbers, on every rank; or what the products or the
  ///   collective throw.
  public func run(random: RandomSource, stopRequested: Bool = false) throws -> Outcome {
    collective.willBegin(step: state.step)
    roundLoadedWeights()
    try StepPart.images.record { try generateImages(random) }
    try StepPart.discriminatorPass.record { try backpropagateDiscriminator(random) }
    try discriminatorReduction.start()
    // Masks do not look at D: drawing them hides the reduction.
    StepPart.masks.record {
      discriminatorOnFake.drawMasks(
        rows: 0..<shard.rowCount, from: random, stream: RandomStream.dropoutOfGeneratorStep,
        step: state.step, firstSample: shard.firstRow)
    }
    try StepPart.discriminatorSum.record { try discriminatorReduction.finish() }
    let discriminatorIsFinite = try StepPart.discriminatorUpdate.record {
      try update(
        state.discriminator, state.discriminatorOptimizer, by: discriminatorReduction,
        discriminatorWeights)
    }

    try StepPart.generatorPass.record { try backpropagateGenerator() }
    try generatorReduction.start()
    lossSums.vote = stopRequested ? 1 : 0
    let losses = try StepPart.losses.record { try sumLosses() }
    try StepPart.generatorSum.record { try generatorReduction.finish() }
    let generatorIsFinite = try StepPart.generatorUpdate.record {
      try update(
        state.generator, state.generatorOptimizer, by: generatorReduction, generatorWeights)
    }
    state.step += 1
    roundedStep = state.step
    guard discriminatorIsFinite && generatorIsFinite && losses.isFinite else {
      throw notFinite(losses)
    }
    return Outcome(losses: losses, stopRequested: lossSums.votes > 0)
  }

  /// Takes Adam's step: this rank on its share of the state, others that share the state on theirs.
  /// - Returns: whether all gradients were finite, the same on every rank.
  private func update(
    _ network: NetworkState, _ optimizer: Adam, by reduction: any Reduction,
    _ weights: ProductWeights
  ) throws -> Bool {
    let share = network.replicas.share(of: reduction.sum.values.count)
    let isFinite = optimizer.update(by: reduction.sum, share: share, rounding: weights.rounded)
    let areFinite = try network.replicas.meet(isFinite)
    weights.pairUp()
    return areFinite
  }

  /// Rounds weights that were drawn or loaded; those of a step before are.
  private func roundLoadedWeights() {
    guard roundedStep != state.step else { return }
    generatorWeights.round()
    discriminatorWeights.round()
  }

  /// Where the first number that is none came from, in the order in which a step computes them.
  private func notFinite(_ losses: LossSummary) -> TrainingFailure {
    func place() -> String {
      if !losses.discriminatorLoss.isFinite { return "D's loss" }
      if let name = discriminatorReduction.sum.firstNonFiniteTensor() {
        return "the gradient of discriminator.\(name)"
      }
      if !losses.generatorLoss.isFinite { return "G's loss" }
      return "the gradient of generator.\(generatorReduction.sum.firstNonFiniteTensor() ?? "?")"
    }
    return .notFinite(place: place(), step: state.step)
  }

  /// G(z1), for D to learn from, and G(z2), for G to learn from: neither D's step nor G's changes G before both are there.
  private func generateImages(_ random: RandomSource) throws {
    let rowCount = shard.rowCount
    random.fillNormals(
      generator.noise.rows(0..<rowCount), stream: RandomStream.noiseOfDiscriminatorStep,
      step: state.step, firstSample: shard.firstRow)
    random.fillNormals(
      generator.noise.rows(rowCount..<2 * rowCount), stream: RandomStream.noiseOfGeneratorStep,
      step: state.step, firstSample: shard.firstRow)
    try generator.forward(.training)
    for (own, fake) in zip(shard.logicalShards, rows.fake) {
      _ = imagesOfBoth.rows(fake).buffer.update(
        fromContentsOf: generator.images.value.rows(own).buffer)
    }
  }

  /// D(real) against 1 - labelSmoothing and D(G(z1)) against 0; nothing flows back into G.
  private func backpropagateDiscriminator(_ random: RandomSource) throws {
    for (index, own) in shard.logicalShards.enumerated() {
      let firstSample = shard.firstRow + own.lowerBound
      discriminatorOnBoth.drawMasks(
        rows: rows.real[index], from: random, stream: RandomStream.dropoutOfReal,
        step: state.step, firstSample: firstSample)
      discriminatorOnBoth.drawMasks(
        rows: rows.fake[index], from: random, stream: RandomStream.dropoutOfFake,
        step: state.step, firstSample: firstSample)
    }
    discriminatorOnBoth.forward(.training)
    let realTarget = Double(Float(1 - settings.labelSmoothing))
    for index in shard.logicalShards.indices {
      let real = evaluate(discriminatorOnBoth, rows: rows.real[index], target: realTarget)
      let fake = evaluate(discriminatorOnBoth, rows: rows.fake[index], target: 0)
      note(real.loss + fake.loss, .ofDiscriminator, ofShard: index)
      note(real.probability, .probabilityOfReal, ofShard: index)
      note(fake.probability, .probabilityOfFake, ofShard: index)
    }
    discriminatorOnBoth.backward()
  }

  /// D(G(z2)) against 1, with fresh dropout masks; D's own gradients are not computed.
  private func backpropagateGenerator() throws {
    discriminatorOnFake.forward(.training)
    for (index, own) in shard.logicalShards.enumerated() {
      let fooled = evaluate(discriminatorOnFake, rows: own, target: 1)
      note(fooled.loss, .ofGenerator, ofShard: index)
    }
    discriminatorOnFake.backward()
    try generator.backward()
  }

  private func evaluate(
    _ discriminator: Discriminator, rows: Range<Int>, target: Double
  ) -> BinaryCrossEntropy.Summary {
    guard let gradient = discriminator.logits.gradient else {
      preconditionFailure("a discriminator that nothing flows back through")
    }
    return BinaryCrossEntropy.evaluate(
      logits: discriminator.logits.value.rows(rows), target: target,
      globalBatchSize: shard.globalBatchSize, gradient: gradient.rows(rows))
  }

  private func note(_ value: Double, _ loss: Loss, ofShard shard: Int) {
    lossesOfShards[shard * Loss.allCases.count + loss.rawValue] = value
  }

  /// Means over the global batch. Every rank must call this.
  private func sumLosses() throws -> LossSummary {
    let count = Loss.allCases.count
    var shard = 0
    try lossSums.run { _, sums in
      for loss in 0..<count { sums[loss] = lossesOfShards[shard * count + loss] }
      shard += 1
    }
    var summary = LossSummary()
    summary.discriminatorLoss = lossSums.sums[Loss.ofDiscriminator.rawValue]
    summary.generatorLoss = lossSums.sums[Loss.ofGenerator.rawValue]
    summary.probabilityOfReal = lossSums.sums[Loss.probabilityOfReal.rawValue]
    summary.probabilityOfFake = lossSums.sums[Loss.probabilityOfFake.rawValue]
    return summary
  }
}

/// Where D's real and fake images lie in one matrix: real rows of a logical shard, its fake rows, then the next shard.
///
/// So D sees both in one product, and the gradient of a logical shard is one product over neighbouring rows.
struct DiscriminatorRows {
  /// Of each logical shard.
  let real, fake: [Range<Int>]

  init(_ shard: Shard) {
    real = shard.logicalShards.map { 2 * $0.lowerBound..<2 * $0.lowerBound + $0.count }
    fake = shard.logicalShards.map { 2 * $0.lowerBound + $0.count..<2 * $0.upperBound }
  }
}

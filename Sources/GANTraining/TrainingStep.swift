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
  /// `[rows, pixels]`: the real images of the step, to be filled before ``run(random:stopRequested:)``.
  public let realImages: Matrix

  private let collective: any Collective
  private let state: TrainingState
  private let settings: TrainingSettings
  private let generatorOfDiscriminatorStep: Generator
  private let generator: Generator
  private let discriminatorOnBoth: Discriminator
  private let discriminatorOnFake: Discriminator
  private let discriminatorGradients: ParameterArena
  private let generatorGradients: ParameterArena
  private let discriminatorReduction: any Reduction
  private let generatorReduction: any Reduction
  private let workspace = Workspace()

  // Losses ride behind the gradients: what every rank needs to know costs no message of its own.
  private enum DiscriminatorRider: Int, CaseIterable {
    case loss, probabilityOfReal, probabilityOfFake
    /// How many ranks were asked to stop: so all agree on the step after which they do.
    case stopRequests
  }
  private enum GeneratorRider: Int, CaseIterable { case loss }

  /// Plans the step. Every rank must call this.
  /// - Throws: `OneDNNError`, or what the collective throws.
  public init(_ state: TrainingState, settings: TrainingSettings, batch: DistributedBatch) throws {
    self.state = state
    self.settings = settings
    collective = batch.collective
    shard = batch.shard
    let (rows, architecture) = (batch.shard.rowCount, state.architecture)
    generatorGradients = ParameterArena(
      state.generatorParameters.layout, riderCount: GeneratorRider.allCases.count)
    discriminatorGradients = ParameterArena(
      state.discriminatorParameters.layout, riderCount: DiscriminatorRider.allCases.count)

    // Real rows above, fake rows below: D sees both in one product.
    let images = workspace.matrix(rows: 2 * rows, columns: architecture.imageSize)
    realImages = images.rows(0..<rows)
    generatorOfDiscriminatorStep = try Generator(
      state.generatorParameters, architecture, state: state.generator, gradients: nil,
      images: Signal(value: images.rows(rows..<2 * rows), gradient: nil), batch: batch,
      name: "G(z1)")
    discriminatorOnBoth = try Discriminator(
      state.discriminatorParameters, architecture, state: state.discriminator,
      gradients: discriminatorGradients, images: Signal(value: images, gradient: nil),
      dropout: settings.dropout)

    generator = try Generator(
      state.generatorParameters, architecture, state: state.generator,
      gradients: generatorGradients,
      images: Signal(
        rows: rows, features: architecture.imageSize, differentiable: true, in: workspace),
      batch: batch, name: "G(z2)")
    discriminatorOnFake = try Discriminator(
      state.discriminatorParameters, architecture, state: state.discriminator, gradients: nil,
      images: generator.images, dropout: settings.dropout)

    discriminatorReduction = try batch.collective.makeReduction(
      name: "D.gradients", of: discriminatorGradients)
    generatorReduction = try batch.collective.makeReduction(
      name: "G.gradients", of: generatorGradients)
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
    discriminatorGradients.riders[DiscriminatorRider.stopRequests.rawValue] = stopRequested ? 1 : 0
    collective.willBegin(step: state.step)
    try backpropagateDiscriminator(random)
    try discriminatorReduction.start()
    // G(z2) does not look at D: it hides the reduction.
    random.fillNormals(
      generator.noise, stream: RandomStream.noiseOfGeneratorStep, step: state.step,
      firstSample: shard.firstRow)
    try generator.forward(.training)
    try discriminatorReduction.finish()
    let discriminatorIsFinite = state.discriminatorOptimizer.update(by: discriminatorGradients)

    try backpropagateGenerator(random)
    try generatorReduction.start()
    try generatorReduction.finish()
    let generatorIsFinite = state.generatorOptimizer.update(by: generatorGradients)
    state.step += 1
    guard discriminatorIsFinite && generatorIsFinite && losses.isFinite else { throw notFinite() }
    return Outcome(
      losses: losses,
      stopRequested: discriminatorGradients.riders[DiscriminatorRider.stopRequests.rawValue] > 0)
  }

  /// Where the first number that is none came from, in the order in which a step computes them.
  private func notFinite() -> TrainingFailure {
    func place() -> String {
      if !losses.discriminatorLoss.isFinite { return "D's loss" }
      if let name = discriminatorGradients.firstNonFiniteTensor() {
        return "the gradient of discriminator.\(name)"
      }
      if !losses.generatorLoss.isFinite { return "G's loss" }
      return "the gradient of generator.\(generatorGradients.firstNonFiniteTensor() ?? "?")"
    }
    return .notFinite(place: place(), step: state.step)
  }

  /// D(real) against 1 - labelSmoothing and D(G(z1)) against 0; nothing flows back into G.
  private func backpropagateDiscriminator(_ random: RandomSource) throws {
    let rows = shard.rowCount
    let (realRows, fakeRows) = (0..<rows, rows..<2 * rows)
    random.fillNormals(
      generatorOfDiscriminatorStep.noise, stream: RandomStream.noiseOfDiscriminatorStep,
      step: state.step, firstSample: shard.firstRow)
    try generatorOfDiscriminatorStep.forward(.training)

    discriminatorOnBoth.drawMasks(
      rows: realRows, from: random, stream: RandomStream.dropoutOfReal, step: state.step,
      firstSample: shard.firstRow)
    discriminatorOnBoth.drawMasks(
      rows: fakeRows, from: random, stream: RandomStream.dropoutOfFake, step: state.step,
      firstSample: shard.firstRow)
    try discriminatorOnBoth.forward(.training)
    let real = evaluate(
      discriminatorOnBoth, rows: realRows, target: Double(Float(1 - settings.labelSmoothing)))
    let fake = evaluate(discriminatorOnBoth, rows: fakeRows, target: 0)
    try discriminatorOnBoth.backward()

    let riders = discriminatorGradients.riders
    riders[DiscriminatorRider.loss.rawValue] = Float(real.loss + fake.loss)
    riders[DiscriminatorRider.probabilityOfReal.rawValue] = Float(real.probability)
    riders[DiscriminatorRider.probabilityOfFake.rawValue] = Float(fake.probability)
  }

  /// D(G(z2)) against 1, with fresh dropout masks; D's own gradients are not computed.
  private func backpropagateGenerator(_ random: RandomSource) throws {
    let rows = 0..<shard.rowCount
    discriminatorOnFake.drawMasks(
      rows: rows, from: random, stream: RandomStream.dropoutOfGeneratorStep, step: state.step,
      firstSample: shard.firstRow)
    try discriminatorOnFake.forward(.training)
    let fooled = evaluate(discriminatorOnFake, rows: rows, target: 1)
    try discriminatorOnFake.backward()
    try generator.backward()
    generatorGradients.riders[GeneratorRider.loss.rawValue] = Float(fooled.loss)
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

  private var losses: LossSummary {
    let riders = discriminatorGradients.riders
    var summary = LossSummary()
    summary.discriminatorLoss = Double(riders[DiscriminatorRider.loss.rawValue])
    summary.probabilityOfReal = Double(riders[DiscriminatorRider.probabilityOfReal.rawValue])
    summary.probabilityOfFake = Double(riders[DiscriminatorRider.probabilityOfFake.rawValue])
    summary.generatorLoss = Double(generatorGradients.riders[GeneratorRider.loss.rawValue])
    return summary
  }
}

import Collectives
import Matrices
import NeuralNetwork
import Randomness

/// One global training step, planned once for this rank's rows and outputs.
///
/// The page *The training step* walks through it. Nothing is allocated in a step.
public final class TrainingStep {
  /// Times that a step runs G in training mode, which moves its running statistics: G(z1) and G(z2).
  static let generatorPasses = 2

  /// Where the real images of the step are, `[B, pixels]`.
  public let realImages: Matrix

  private let state: TrainingState
  private let weights: (generator: ProductWeights, discriminator: ProductWeights)
  private let collective: any Collective
  private let start: any Exchange
  /// To the end of D's update; to the end of G's backward pass; G's update.
  private let discriminatorStep: [Program.Stage]
  private let generatorPass: [Program.Stage]
  private let generatorUpdate: [Program.Stage]
  private let means: RowMeans
  private let stopVotes: RankVotes
  /// What the instructions work on.
  private let generator: Generator
  private let discriminators: [Discriminator]
  /// Where sums travel between hosts.
  private let gradientSums: [GradientSum]

  private enum Mean: Int, CaseIterable {
    case discriminatorLoss, generatorLoss, probabilityOfReal, probabilityOfFake
  }

  /// Plans the step. Every rank must call this.
  /// - Parameter load: plans how a worker loads the real images of some rows; without it the caller writes all rows to
  ///   ``realImages``.
  /// - Throws: `KernelError`, `MemoryError`, or what the collective throws.
  public init(
    _ state: TrainingState, settings: TrainingSettings, random: RandomSource,
    batch: DistributedBatch,
    load: ((_ rows: Range<Int>, _ images: Matrix, _ list: InstructionList) -> Void)? = nil
  ) throws {
    let (collective, architecture, precision) = (
      batch.collective, state.architecture, settings.precision
    )
    self.state = state
    self.collective = collective
    let weights = (
      generator: try ProductWeights(state.generator.parameters, precision, over: collective),
      discriminator: try ProductWeights(state.discriminator.parameters, precision, over: collective)
    )
    self.weights = weights
    let means = try RowMeans(count: Mean.allCases.count, of: batch)
    self.means = means
    stopVotes = try RankVotes(over: collective)
    start = try collective.makeBarrier(name: "start")

    // Real images, G(z1), G(z2): D sees the first two, G makes the last two.
    let rows = batch.rows
    let images = try batch.matrix(rows: 3 * rows, columns: architecture.imageSize)
    let realImages = images.rows(0..<rows)
    self.realImages = realImages
    let imagesOfGenerator = try Signal(
      value: images.rows(rows..<3 * rows), passes: Self.generatorPasses,
      gradient: try batch.matrix(rows: rows, columns: architecture.imageSize),
      differentiablePasses: 1, precision: precision, of: batch)
    let generator = try Generator(
      state.generatorParameters, architecture, state: state.generator, weights: weights.generator,
      images: imagesOfGenerator, batch: batch)
    func discriminator(_ images: Signal, isTrained: Bool, _ name: String) throws -> Discriminator {
      try Discriminator(
        state.discriminatorParameters, architecture, weights: weights.discriminator,
        images: images, dropout: settings.dropout, isTrained: isTrained, batch: batch, name: name)
    }
    let onBoth = try discriminator(
      Signal(
        value: images.rows(0..<2 * rows), passes: 2, gradient: nil, differentiablePasses: 2,
        precision: precision, of: batch), isTrained: true, "D(real, fake)")
    let onFake = try discriminator(
      Signal(
        value: imagesOfGenerator.differentiableValue, gradient: imagesOfGenerator.gradient,
        differentiablePasses: 1, of: batch), isTrained: false, "D(G(z2))")
    (self.generator, discriminators) = (generator, [onBoth, onFake])

    // Other hosts need neither real images nor noise: they have them, too.
    let routeOfD = GradientRoute(onBoth.linears, of: batch)
    let routeOfG = GradientRoute(generator.linears, of: batch)
    let lentImages = batch.rowsOfOthers(routeOfD.rowsForHosts)
    let lentNoise = batch.rowsOfOthers(routeOfG.rowsForHosts)

    let program = Program(batch)
    program.everyWorker { rows, list in
      StepPart.loading.plan(in: list) {
        for rows in [rows] + lentImages[list.thread] where !rows.isEmpty {
          load?(rows, realImages.rows(rows), list)
        }
        for rows in lentImages[list.thread] {
          onBoth.linears[0].pairInput(rows, ofPass: 0, in: list)
        }
      }
      StepPart.randomNumbers.plan(in: list) {
        for (pass, stream) in [
          RandomStream.noiseOfDiscriminatorStep, RandomStream.noiseOfGeneratorStep,
        ].enumerated() {
          // Only the second one's gradient is wanted.
          for rows in [rows] + (pass == 1 ? lentNoise[list.thread] : []) where !rows.isEmpty {
            list.normals(
              generator.noise.value(rows, ofPass: pass), from: random, stream: stream,
              firstSample: rows.lowerBound)
          }
        }
        for rows in lentNoise[list.thread] {
          generator.linears[0].pairInput(rows, ofPass: 0, in: list)
        }
        guard !rows.isEmpty else { return }
        onBoth.drawMasks(pass: 0, from: random, stream: RandomStream.dropoutOfReal, in: list)
        onBoth.drawMasks(pass: 1, from: random, stream: RandomStream.dropoutOfFake, in: list)
        onFake.drawMasks(from: random, stream: RandomStream.dropoutOfGeneratorStep, in: list)
      }
    }
    try generator.forward(in: program)

    // D(real) against 1 - labelSmoothing and D(G(z1)) against 0; nothing flows back into G.
    let realTarget = Double(Float(1 - settings.labelSmoothing))
    try onBoth.forward(in: program, routeOfD, passesOfImages: 1..<2)
    program.everyWorker { worker, list in
      StepPart.losses.plan(in: list) {
        list.binaryCrossEntropy(
          onBoth.logits, worker, ofPass: 0, target: realTarget, batchSize: rows, means: means,
          loss: Mean.discriminatorLoss.rawValue, probability: Mean.probabilityOfReal.rawValue)
        list.binaryCrossEntropy(
          onBoth.logits, worker, ofPass: 1, target: 0, batchSize: rows, means: means,
          loss: Mean.discriminatorLoss.rawValue, addsLoss: true,
          probability: Mean.probabilityOfFake.rawValue)
      }
    }
    try onBoth.backward(in: program, routeOfD)
    try program.meet("D.rows", finishing: program.rows(forLastOf: onBoth.linears))
    var gradientSums = try program.update(
      onBoth.linears, by: state.discriminatorOptimizer, routeOfD, name: "D")
    try program.meet("D.update")
    discriminatorStep = program.finish()

    // D(G(z2)) against 1, with fresh dropout masks; D's own gradients are not computed.
    for linear in generator.linears.dropFirst().reversed() {
      try program.depart(linear.travellingInput(routeOfG), for: linear)
    }
    try onFake.forward(in: program, nil)
    program.everyWorker { worker, list in
      StepPart.losses.plan(in: list) {
        list.binaryCrossEntropy(
          onFake.logits, worker, ofPass: 0, target: 1, batchSize: rows, means: means,
          loss: Mean.generatorLoss.rawValue)
        means.addUp(worker, in: list)
      }
    }
    try onFake.backward(in: program, nil)
    try generator.backward(in: program, routeOfG)
    try program.meet(
      "G.rows", finishing: program.rows(forLastOf: generator.linears),
      inside: [means.movement, stopVotes.movement])
    generatorPass = program.finish()

    gradientSums += try program.update(
      generator.linears, by: state.generatorOptimizer, routeOfG, name: "G")
    self.gradientSums = gradientSums
    let topology = collective.topology
    program.everyWorker { _, list in
      for (norm, linear) in zip(generator.norms, generator.linears) {
        norm.update(
          BatchPlacement.share(
            topology.ownWorkers.lowerBound + list.thread, of: linear.parameters.outputSize,
            over: topology.workerCount), by: state.generatorOptimizer, in: list)
      }
    }
    try program.meet("G.update")
    generatorUpdate = program.finish()
  }

  /// Lets all ranks see the state that was drawn or loaded, before the first step. Every rank must call this.
  /// - Throws: what the collective throws.
  public func prepare() throws {
    try start.run()
    if collective.topology.isLeader {
      weights.generator.round()
      weights.discriminator.round()
    }
    try start.run()
  }

  /// What all ranks know after a step.
  public struct Outcome: Sendable {
    /// Means over the global batch.
    public let losses: LossSummary
    /// Whether any rank was asked to stop.
    public let stopRequested: Bool
  }

  /// Trains D, then G, on ``realImages``. Every rank must call this.
  /// - Parameters:
  ///   - stopRequested: whether this rank was asked to stop.
  ///   - rateFactor: what the learning rate is multiplied by.
  /// - Returns: the same on every rank.
  /// - Throws: ``TrainingFailure`` for losses or gradients that are no numbers, on every rank; or what the collective
  ///   throws.
  public func run(stopRequested: Bool = false, rateFactor: Double = 1) throws -> Outcome {
    let step = state.step
    collective.willBegin(step: step)
    let (ofD, ofG) = (state.discriminatorOptimizer, state.generatorOptimizer)
    ofD.beginStep(rateFactor: rateFactor)
    ofG.beginStep(rateFactor: rateFactor)
    stopVotes.vote(stopRequested)
    let discriminatorIsFinite = try discriminatorStep.run(step: step) { ofD.isFinite }
    _ = try generatorPass.run(step: step)
    // Now: after the next exchange others may write the next step's.
    let losses = StepPart.losses.record { takeMeans() }
    let outcome = Outcome(losses: losses, stopRequested: stopVotes.isAnyYes)
    let generatorIsFinite = try generatorUpdate.run(step: step) { ofG.isFinite }
    state.step += 1
    state.generator.batchesTracked += Self.generatorPasses
    guard discriminatorIsFinite && generatorIsFinite && losses.isFinite else {
      throw notFinite(losses)
    }
    return outcome
  }

  private func takeMeans() -> LossSummary {
    means.take()
    func mean(_ mean: Mean) -> Double { means[mean.rawValue] }
    var losses = LossSummary()
    losses.discriminatorLoss = mean(.discriminatorLoss)
    losses.generatorLoss = mean(.generatorLoss)
    losses.probabilityOfReal = mean(.probabilityOfReal)
    losses.probabilityOfFake = mean(.probabilityOfFake)
    return losses
  }

  /// Where the first number that is none came from, in the order in which a step computes them. Gradients are not kept,
  /// but what Adam remembers of one that was not finite is not finite either.
  private func notFinite(_ losses: LossSummary) -> TrainingFailure {
    func place() -> String {
      if !losses.discriminatorLoss.isFinite { return "D's loss" }
      if let name = state.discriminatorOptimizer.firstMoments.firstNonFiniteTensor() {
        return "the gradient of discriminator.\(name)"
      }
      if !losses.generatorLoss.isFinite { return "G's loss" }
      let name = state.generatorOptimizer.firstMoments.firstNonFiniteTensor()
      return "the gradient of generator.\(name ?? "?")"
    }
    return .notFinite(place: place(), step: state.step)
  }
}

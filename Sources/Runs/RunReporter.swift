import GANTraining
import Pictures
import TensorFiles
import Texts

/// What rank 0 tells of a run: lines, the table, pictures.
package final class RunReporter: TrainingObserver {
  private let desk: RunDesk
  private let description: RunDescription
  private let resumption: Resumption?
  private let keptCheckpoints: Int
  private let unrememberedOptions: [String]
  private let evaluations: () -> [EvaluationRecord]
  /// Nil until the run has a checkpoint.
  private var metrics: MetricsTable?
  private let grid: SampleGrid
  private let strip: InterpolationStrip
  private let sampleEvery: Int

  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var lastDrawn: ContinuousClock.Instant
  private var lastGridEpoch = -1
  /// Whether it was said that old checkpoints cannot be removed.
  private var hasWarnedOfOld = false
  /// Steps that a resumed run has behind it: they do not count for its speed.
  private var firstStep = 0

  private static let gridCount = 16
  private static let interpolationCount = 8

  /// - Parameters:
  ///   - desk: the run's folder and log.
  ///   - description: what is run.
  ///   - resumption: how a resumed run goes on.
  ///   - sampleEvery: epochs between grids of samples; 0 for none but the first and the last.
  ///   - keptCheckpoints: how many to keep, at least 1.
  ///   - unrememberedOptions: those that the run does not remember.
  ///   - evaluations: those so far, for the plot.
  package init(
    desk: RunDesk, description: RunDescription, resumption: Resumption?, sampleEvery: Int,
    keptCheckpoints: Int, unrememberedOptions: [String],
    evaluations: @escaping () -> [EvaluationRecord] = { [] }
  ) {
    self.desk = desk
    self.description = description
    self.resumption = resumption
    self.sampleEvery = sampleEvery
    self.keptCheckpoints = keptCheckpoints
    self.unrememberedOptions = unrememberedOptions
    self.evaluations = evaluations
    let configuration = description.configuration
    grid = SampleGrid(
      imageHeight: configuration.imageHeight, imageWidth: configuration.imageWidth, columns: 4)
    strip = InterpolationStrip(
      imageHeight: configuration.imageHeight, imageWidth: configuration.imageWidth)
    start = clock.now
    lastDrawn = start
    for line in description.lines(runFolder: folder.path) { log.logger.info("\(line)") }
    for line in description.rankLines { log.logger.debug("\(line)") }
  }

  private var folder: RunFolder { desk.folder }
  private var log: RunLog { desk.log }

  /// A folder with these two files holds a run: they are written when there is a checkpoint to go
  /// on from, and not before.
  package func trainingWillBegin(_ trainer: Trainer) throws {
    try folder.write(description.json, to: "config.json")
    metrics = try MetricsTable(folder: folder, history: trainer.history)
    firstStep = trainer.state.step
    if let resumption { tell(resumption) }
    if firstStep > 0 { return }
    let probabilities = try SampleImages.untrainedProbabilities(
      of: 5, from: trainer.state, random: trainer.random)
    let text = probabilities.map { $0.fixed(4) }.joined(separator: " ")
    log.logger.info("D's probability that five images of the untrained G are real: \(text)")
    try drawGrid(epoch: 0, trainer)
  }

  private func tell(_ resumption: Resumption) {
    let step = Phrases.count(resumption.position.step)
    if resumption.closesEpoch {
      log.logger.notice(
        """
        epoch \(resumption.position.history.count) ends after step \(step): its images would now \
        come in another order
        """)
    }
    if resumption.hasStepsLeft {
      if firstStep > 0 { log.logger.info("goes on after step \(step)") }
    } else {
      log.logger.notice(
        """
        no step is left after step \(step): to train further, give more --epochs, or --max-steps
        """)
    }
  }

  package func stepDidEnd(_ progress: TrainingProgress) {
    guard let liveLine = log.liveLine else { return }
    let now = clock.now
    guard now - lastDrawn > .milliseconds(200) else { return }
    lastDrawn = now
    let seconds = (now - start) / .seconds(1)
    let stepsPerSecond = Double(progress.stepsTaken - firstStep) / seconds
    let left = Double(progress.totalSteps - progress.stepsTaken) / stepsPerSecond
    let speed = stepsPerSecond * Double(description.settings.globalBatchSize)
    liveLine.draw(
      Phrases.epoch(progress.epoch, of: description.settings.epochs)
        + " \(100 * progress.stepInEpoch / progress.stepsPerEpoch)%  "
        + Phrases.means(progress.means)
        + "  \(Phrases.count(speed)) images/s  \(Phrases.duration(left)) left")
  }

  package func epochDidEnd(_ record: EpochRecord, trainer: Trainer) throws {
    try metrics?.append(record)
    let left =
      record.seconds / Double(record.steps) * Double(trainer.totalSteps - trainer.state.step)
    log.logger.info(
      """
      \(Phrases.epoch(record.epoch, of: trainer.settings.epochs))  \(Phrases.means(record.means))  \
      \(Phrases.count(record.imagesPerSecond)) images/s  \(Phrases.duration(left)) left
      """)
    if sampleEvery > 0 && record.epoch.isMultiple(of: sampleEvery) {
      try drawGrid(epoch: record.epoch, trainer)
    }
  }

  package func checkpointIsDue(_ trainer: Trainer) throws {
    let step = trainer.state.step
    let path = folder.checkpoints.file(step: step)
    try Checkpoint.write(
      trainer.state, position: trainer.currentPosition, configuration: description.configuration,
      program: RunDescription.program, to: path)
    log.logger.debug("wrote \(path)")
    if let problem = folder.checkpoints.removeOld(keeping: keptCheckpoints), !hasWarnedOfOld {
      hasWarnedOfOld = true
      log.logger.warning("old checkpoints stay: \(problem)")
    }
  }

  package func trainingDidStop(_ trainer: Trainer) {
    let command = ResumeHint.command(
      folder: folder.path, options: unrememberedOptions, rankCount: description.ranks.rankCount)
    log.logger.notice(
      "stopped as asked, after step \(Phrases.count(trainer.state.step)); to go on: \(command)")
  }

  package func trainingDidEnd(_ trainer: Trainer) throws {
    try write("generator.safetensors") {
      try GeneratorFile.write(
        trainer.state, configuration: description.configuration,
        program: RunDescription.program, to: $0)
    }
    let lastEpoch = trainer.history.last?.epoch ?? 0
    if lastGridEpoch != lastEpoch { try drawGrid(epoch: lastEpoch, trainer) }
    try drawCurves(trainer)
    let interpolation = try SampleImages.interpolation(
      of: Self.interpolationCount, from: trainer.state, random: trainer.random)
    try write("plots/interpolation.png") { try strip.write(interpolation.images, to: $0) }
    try tellDigest(trainer)
    summarize(trainer)
  }

  /// Names the state that the run ended in, and what its bits depend on beside settings and data.
  private func tellDigest(_ trainer: Trainer) throws {
    let path = folder.checkpoints.file(step: trainer.state.step)
    let digest = try Checkpoint.stateDigest(of: SafetensorsFile(path: path))
    log.logger.info(
      """
      state after step \(Phrases.count(trainer.state.step)): digest \(digest) \
      with \(RunDescription.arithmetic)
      """)
  }

  private func drawGrid(epoch: Int, _ trainer: Trainer) throws {
    let images = try SampleImages.grid(
      of: Self.gridCount, from: trainer.state, random: trainer.random)
    try write("samples/epoch_\(Phrases.padded(epoch, to: 4, with: "0")).png") {
      try grid.write(images, to: $0)
    }
    lastGridEpoch = epoch
  }

  private func drawCurves(_ trainer: Trainer) throws {
    let means = trainer.history.map(\.means)
    var curves = TrainingCurves(
      firstEpoch: trainer.history.first?.epoch ?? 1,
      discriminatorLoss: means.map(\.discriminatorLoss), generatorLoss: means.map(\.generatorLoss),
      realProbability: means.map(\.probabilityOfReal),
      fakeProbability: means.map(\.probabilityOfFake))
    let balance = GameBalance(labelSmoothing: trainer.settings.labelSmoothing)
    curves.ideal = (balance.idealProbability, balance.idealDiscriminatorLoss)
    let evaluations = evaluations()
    if let last = evaluations.last {
      curves.floor = last.floor
      curves.distance = trainer.history.map { record in
        evaluations.first { $0.epoch == record.epoch }?.distance.frechet ?? .nan
      }
    }
    try write("plots/losses.png") { try curves.write(to: $0) }
  }

  private func write(_ name: String, _ draw: (String) throws -> Void) throws {
    try draw(folder.file(name))
    log.logger.debug("wrote \(folder.file(name))")
  }

  private func summarize(_ trainer: Trainer) {
    let seconds = (clock.now - start) / .seconds(1)
    let steps = trainer.state.step - firstStep
    let speed = Double(steps * trainer.settings.globalBatchSize) / seconds
    log.logger.info(
      """
      done: \(Phrases.count(steps, "step")) in \(Phrases.duration(seconds)), \
      \(Phrases.count(speed)) images/s
      """)
    if let last = trainer.history.last {
      log.logger.info("last epoch: \(Phrases.means(last.means))")
    }
    log.logger.info(
      "see \(folder.file("samples")), \(folder.file("plots")) and \(folder.file("metrics.csv"))")
  }
}

import GANTraining
import Pictures
import TensorFiles

/// What rank 0 tells of a run: lines, the table, pictures.
final class RunReporter: TrainingObserver {
  private let desk: RunDesk
  private let description: RunDescription
  private let metrics: MetricsTable
  private let grid: SampleGrid
  private let strip: InterpolationStrip
  private let sampleEvery: Int

  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var lastDrawn: ContinuousClock.Instant
  private var lastGridEpoch = -1
  /// Steps that a resumed run has behind it: they do not count for its speed.
  private var firstStep = 0

  private static let gridCount = 16
  private static let interpolationCount = 8

  /// - Parameter history: the epochs that a resumed run has behind it.
  /// - Throws: `RunFolderError` if the table cannot be written.
  init(
    desk: RunDesk, description: RunDescription, sampleEvery: Int, history: [EpochRecord]
  ) throws {
    self.desk = desk
    self.description = description
    self.sampleEvery = sampleEvery
    let configuration = description.configuration
    metrics = try MetricsTable(folder: desk.folder, history: history)
    grid = SampleGrid(
      imageHeight: configuration.imageHeight, imageWidth: configuration.imageWidth, columns: 4)
    strip = InterpolationStrip(
      imageHeight: configuration.imageHeight, imageWidth: configuration.imageWidth)
    start = clock.now
    lastDrawn = start
  }

  private var folder: RunFolder { desk.folder }
  private var log: RunLog { desk.log }

  func trainingWillBegin(_ trainer: Trainer) throws {
    for line in description.lines(runFolder: folder.path) { log.logger.info("\(line)") }
    for line in description.rankLines { log.logger.debug("\(line)") }
    firstStep = trainer.state.step
    if firstStep > 0 {
      log.logger.info("goes on after step \(Phrases.count(firstStep))")
      return
    }
    let probabilities = try SampleImages.untrainedProbabilities(
      of: 5, from: trainer.state, random: trainer.random)
    let text = probabilities.map { Phrases.fixed($0, 4) }.joined(separator: " ")
    log.logger.info("D's probability that five images of the untrained G are real: \(text)")
    try drawGrid(epoch: 0, trainer)
  }

  func stepDidEnd(_ progress: TrainingProgress) {
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

  func epochDidEnd(_ record: EpochRecord, trainer: Trainer) throws {
    try metrics.append(record)
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

  func checkpointIsDue(_ trainer: Trainer) throws {
    let step = trainer.state.step
    let path = desk.checkpoints.file(step: step)
    try Checkpoint.write(
      trainer.state, position: trainer.currentPosition, configuration: description.configuration,
      program: RunDescription.program, to: path)
    desk.checkpoints.removeOld()
    log.logger.debug("wrote \(path)")
  }

  func trainingDidStop(_ trainer: Trainer) {
    log.logger.notice(
      """
      stopped as asked, after step \(Phrases.count(trainer.state.step)); to go on: \
      --resume latest --out \(folder.path)
      """)
  }

  func trainingDidEnd(_ trainer: Trainer) throws {
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
    let path = desk.checkpoints.file(step: trainer.state.step)
    // A run without steps, from another folder's checkpoint, has written none.
    guard let file = try? SafetensorsFile(path: path) else { return }
    let digest = try Checkpoint.stateDigest(of: file)
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
    let curves = TrainingCurves(
      firstEpoch: trainer.history.first?.epoch ?? 1,
      discriminatorLoss: means.map(\.discriminatorLoss), generatorLoss: means.map(\.generatorLoss),
      realProbability: means.map(\.probabilityOfReal),
      fakeProbability: means.map(\.probabilityOfFake))
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

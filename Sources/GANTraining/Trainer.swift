import FashionMNIST
import Matrices
import NeuralNetwork

/// What an epoch came to.
public struct EpochRecord: Equatable, Sendable {
  /// From 1.
  public var epoch: Int
  /// Steps in this epoch; fewer than an epoch has if `--max-steps` cut it short.
  public var steps: Int
  /// Means over the steps.
  public var means: LossSummary
  /// Wall time, in seconds.
  public var seconds: Double
  /// Images through the whole job a second.
  public var imagesPerSecond: Double
}

/// Where a run is, after a step.
public struct TrainingProgress: Sendable {
  /// From 1.
  public var epoch: Int
  /// Steps taken in this epoch, and what an epoch has.
  public var stepInEpoch: Int
  public var stepsPerEpoch: Int
  /// Global steps taken since the run began, and those of the whole run.
  public var stepsTaken: Int
  public var totalSteps: Int
  /// Means over the steps of this epoch so far.
  public var means: LossSummary
}

/// Somebody who watches a run. Observers see the state but never change it, and ranks must not meet in one.
public protocol TrainingObserver {
  /// Before the first step.
  func trainingWillBegin(_ trainer: Trainer) throws
  /// After every step; it is on the hot path.
  func stepDidEnd(_ progress: TrainingProgress) throws
  /// After every epoch, also one cut short.
  func epochDidEnd(_ record: EpochRecord, trainer: Trainer) throws
  /// After the last step.
  func trainingDidEnd(_ trainer: Trainer) throws
}

/// Somebody who looks away: what ranks other than 0 have for an observer.
public struct NoObserver: TrainingObserver {
  public init() {}
  public func trainingWillBegin(_ trainer: Trainer) {}
  public func stepDidEnd(_ progress: TrainingProgress) {}
  public func epochDidEnd(_ record: EpochRecord, trainer: Trainer) {}
  public func trainingDidEnd(_ trainer: Trainer) {}
}

/// The loop over epochs and steps.
public final class Trainer {
  public let settings: TrainingSettings
  public let state: TrainingState
  public let random: RandomSource
  /// One record an epoch.
  public private(set) var history: [EpochRecord] = []
  public let stepsPerEpoch: Int
  public let totalSteps: Int
  private let loader: BatchLoader
  private let step: TrainingStep

  /// Draws the initial state and plans the step. Every rank must call this.
  /// - Throws: `TrainingSettings.Invalid`, `OneDNNError`, or what the collective throws.
  public init(
    _ dataSet: ImageDataSet, settings: TrainingSettings, collective: any Collective
  ) throws {
    try settings.validate()
    try settings.validate(imageCount: dataSet.imageCount)
    self.settings = settings
    random = RandomSource(seed: settings.seed)
    stepsPerEpoch = settings.stepsPerEpoch(imageCount: dataSet.imageCount)
    totalSteps = settings.totalSteps(imageCount: dataSet.imageCount)
    loader = BatchLoader(dataSet, globalBatchSize: settings.globalBatchSize, random: random)
    state = TrainingState(
      Architecture(imageSize: dataSet.pixelsPerImage), adam: settings.adam, random: random)
    step = try TrainingStep(
      state, settings: settings,
      batch: DistributedBatch(globalBatchSize: settings.globalBatchSize, collective: collective))
  }

  /// Trains to the end. Every rank must call this.
  /// - Throws: what a step or the observer throws.
  public func run(observer: some TrainingObserver) throws {
    try observer.trainingWillBegin(self)
    while state.step < totalSteps {
      try runEpoch(state.step / stepsPerEpoch, observer: observer)
    }
    try observer.trainingDidEnd(self)
  }

  private func runEpoch(_ epoch: Int, observer: some TrainingObserver) throws {
    let clock = ContinuousClock()
    let start = clock.now
    loader.shuffle(epoch: epoch)
    var sums = LossSummary()
    var stepInEpoch = 0
    while stepInEpoch < stepsPerEpoch && state.step < totalSteps {
      loader.load(step: stepInEpoch, shard: step.shard, into: step.realImages)
      sums += try step.run(random: random)
      stepInEpoch += 1
      try observer.stepDidEnd(
        TrainingProgress(
          epoch: epoch + 1, stepInEpoch: stepInEpoch, stepsPerEpoch: stepsPerEpoch,
          stepsTaken: state.step, totalSteps: totalSteps, means: sums / Double(stepInEpoch)))
    }
    let seconds = (clock.now - start) / .seconds(1)
    let record = EpochRecord(
      epoch: epoch + 1, steps: stepInEpoch, means: sums / Double(stepInEpoch), seconds: seconds,
      imagesPerSecond: Double(stepInEpoch * settings.globalBatchSize) / seconds)
    history.append(record)
    try observer.epochDidEnd(record, trainer: self)
  }
}

extension LossSummary {
  static func += (sum: inout LossSummary, other: LossSummary) {
    sum.discriminatorLoss += other.discriminatorLoss
    sum.generatorLoss += other.generatorLoss
    sum.probabilityOfReal += other.probabilityOfReal
    sum.probabilityOfFake += other.probabilityOfFake
  }

  static func / (sum: LossSummary, count: Double) -> LossSummary {
    var mean = sum
    mean.discriminatorLoss /= count
    mean.generatorLoss /= count
    mean.probabilityOfReal /= count
    mean.probabilityOfFake /= count
    return mean
  }
}

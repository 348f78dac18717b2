import Collectives
import MNISTFamily
import Matrices
import NeuralNetwork
import Randomness
import Timelines

/// What an epoch came to.
public struct EpochRecord: Equatable, Sendable, Codable {
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

extension EpochRecord {
  /// The record of so many steps, whose losses add up to `sums`.
  init(epoch: Int, steps: Int, sums: LossSummary, seconds: Double, batchSize: Int) {
    self.init(
      epoch: epoch, steps: steps, means: sums / Double(steps), seconds: seconds,
      imagesPerSecond: Double(steps) * Double(batchSize) / max(seconds, 1e-9))
  }
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

/// Where a run stands between two steps: with the tensors of ``TrainingState``, all that is needed to go on.
public struct RunPosition: Equatable, Sendable, Codable {
  /// Global steps taken.
  public var step = 0
  /// Records of the epochs that are whole.
  public var history: [EpochRecord] = []
  /// Sums over the steps of the epoch that is not.
  public var sums = LossSummary()
  /// Wall time that this epoch has taken, in seconds.
  public var seconds = 0.0

  public init() {}

  /// Whether its epochs are numbered from 1, and have as many steps as it says, or fewer.
  var isPossible: Bool {
    var rest = step
    for (index, record) in history.enumerated() {
      guard record.epoch == index + 1, record.steps > 0, record.steps <= rest else { return false }
      rest -= record.steps
    }
    return rest >= 0 && step <= TrainingSettings.mostSteps && seconds >= 0
  }
}

/// Somebody who watches a run. Observers see the state but never change it.
///
/// Ranks meet in an observer only if all of them have it, and only after a step or at the end of the run, where all
/// are.
public protocol TrainingObserver {
  /// Before the first step, when there is a checkpoint to go on from.
  func trainingWillBegin(_ trainer: Trainer) throws
  /// After every step; it is on the hot path.
  func stepDidEnd(_ progress: TrainingProgress) throws
  /// After every epoch, also one cut short by the end of the run.
  func epochDidEnd(_ record: EpochRecord, trainer: Trainer) throws
  /// When a checkpoint is due; all ranks learn whether this threw.
  func checkpointIsDue(_ trainer: Trainer) throws
  /// After a run that was asked to stop, and its checkpoint.
  func trainingDidStop(_ trainer: Trainer) throws
  /// After the last step.
  func trainingDidEnd(_ trainer: Trainer) throws
}

extension TrainingObserver {
  public func trainingWillBegin(_ trainer: Trainer) throws {}
  public func stepDidEnd(_ progress: TrainingProgress) throws {}
  public func epochDidEnd(_ record: EpochRecord, trainer: Trainer) throws {}
  public func checkpointIsDue(_ trainer: Trainer) throws {}
  public func trainingDidStop(_ trainer: Trainer) throws {}
  public func trainingDidEnd(_ trainer: Trainer) throws {}
}

/// Somebody who looks away: what ranks other than 0 have for an observer.
public struct NoObserver: TrainingObserver {
  public init() {}
}

/// Two who watch a run, the first one first.
public struct ObserverPair<First: TrainingObserver, Second: TrainingObserver>: TrainingObserver {
  private let first: First
  private let second: Second

  public init(_ first: First, _ second: Second) { (self.first, self.second) = (first, second) }

  public func trainingWillBegin(_ trainer: Trainer) throws {
    try first.trainingWillBegin(trainer)
    try second.trainingWillBegin(trainer)
  }

  public func stepDidEnd(_ progress: TrainingProgress) throws {
    try first.stepDidEnd(progress)
    try second.stepDidEnd(progress)
  }

  public func epochDidEnd(_ record: EpochRecord, trainer: Trainer) throws {
    try first.epochDidEnd(record, trainer: trainer)
    try second.epochDidEnd(record, trainer: trainer)
  }

  public func checkpointIsDue(_ trainer: Trainer) throws {
    try first.checkpointIsDue(trainer)
    try second.checkpointIsDue(trainer)
  }

  public func trainingDidStop(_ trainer: Trainer) throws {
    try first.trainingDidStop(trainer)
    try second.trainingDidStop(trainer)
  }

  public func trainingDidEnd(_ trainer: Trainer) throws {
    try first.trainingDidEnd(trainer)
    try second.trainingDidEnd(trainer)
  }
}

/// When checkpoints are due, besides the end of the run.
public struct CheckpointSchedule: Equatable, Sendable {
  /// After every so many epochs; 0 for never.
  public var epochs = 5
  /// After every so many global steps; 0 for never.
  public var steps = 0

  public init() {}
}

/// How a run ended.
public enum RunEnding: Sendable {
  /// All steps are taken.
  case finished
  /// A rank was asked to stop; a checkpoint was due before it did.
  case stopped
}

/// The loop over epochs and steps.
public final class Trainer {
  public let settings: TrainingSettings
  public let state: TrainingState
  public let random: RandomSource
  /// One record an epoch, also of one that the end of the run cut short.
  public private(set) var history: [EpochRecord] = []
  public let stepsPerEpoch: Int
  /// Global steps at the end of the run, those of a resumed run's past included.
  public private(set) var totalSteps: Int
  /// Who is where.
  public let topology: Topology
  private let schedule: CheckpointSchedule
  private let loader: BatchLoader
  private let step: TrainingStep
  private let sentinel: DriftSentinel
  private let checkpointVotes: AllGather
  private var position = RunPosition()
  /// Steps taken in the epoch that is not over.
  private var stepInEpoch = 0
  private var epochStart = ContinuousClock.now
  private var lastCheckpointStep = -1

  /// Draws the initial state and plans the step. Every rank must call this.
  /// - Parameter rankNames: what people call the ranks, such as "rank 2 on node1"; nil for their numbers.
  /// - Throws: `TrainingSettings.Invalid`, `KernelError`, or what the collective throws.
  public init(
    _ dataSet: ImageDataSet, settings: TrainingSettings, schedule: CheckpointSchedule = .init(),
    collective: any Collective, rankNames: [String]? = nil
  ) throws {
    try settings.validate()
    try settings.validate(
      imageCount: dataSet.imageCount, pixelsPerImage: dataSet.pixelsPerImage)
    try settings.validate(instructionSets: [Processor.instructionSet])
    self.settings = settings
    topology = collective.topology
    self.schedule = schedule
    random = RandomSource(seed: settings.seed)
    stepsPerEpoch = settings.stepsPerEpoch(imageCount: dataSet.imageCount)
    totalSteps = settings.totalSteps(imageCount: dataSet.imageCount)
    let loader = try BatchLoader(
      dataSet, globalBatchSize: settings.globalBatchSize, random: random)
    self.loader = loader
    state = try TrainingState(
      Architecture(imageSize: dataSet.pixelsPerImage), adam: settings.adam, random: random,
      over: collective)
    step = try TrainingStep(
      state, settings: settings, random: random,
      batch: DistributedBatch(
        globalBatchSize: settings.globalBatchSize, collective: collective),
      load: loader.load)
    sentinel = try DriftSentinel(state, over: collective, rankNames: rankNames)
    checkpointVotes = try AllGather(name: "checkpoint.votes", count: 1, over: collective)
  }

  /// Where the run stands.
  public var currentPosition: RunPosition {
    var position = position
    position.step = state.step
    position.seconds += (ContinuousClock.now - epochStart) / .seconds(1)
    return position
  }

  /// Goes on from a position whose tensors the state already holds. Every rank must call this with
  /// the same resumption.
  /// - Parameter isSaved: whether the run's folder has a checkpoint of it; if not, one is due
  ///   before the first step.
  public func resume(_ resumption: Resumption, isSaved: Bool) {
    position = resumption.position
    stepInEpoch = resumption.stepInEpoch
    totalSteps = resumption.totalSteps
    history = position.history
    state.resume(atStep: position.step)
    lastCheckpointStep = isSaved ? position.step : -1
    // A run that was cut short within an epoch, and is not to go on, ends with that epoch's record.
    if stepInEpoch > 0 && !resumption.hasStepsLeft {
      history.append(record(seconds: position.seconds))
    }
  }

  /// The record of the epoch so far.
  private func record(seconds: Double) -> EpochRecord {
    EpochRecord(
      epoch: position.history.count + 1, steps: stepInEpoch, sums: position.sums,
      seconds: seconds, batchSize: settings.globalBatchSize)
  }

  /// Ends the epoch: its record stays, its sums begin anew.
  private func closeEpoch() {
    position.history.append(record(seconds: position.seconds))
    position.sums = LossSummary()
    position.seconds = 0
    stepInEpoch = 0
  }

  /// Trains to the end, or until a rank is asked to stop. Every rank must call this.
  /// - Parameter stopRequested: whether this rank was asked to stop; looked at once a step.
  /// - Throws: what a step, the observer or the sentinel throws.
  public func run(
    observer: some TrainingObserver, stopRequested: () -> Bool = { false }
  ) throws -> RunEnding {
    try step.prepare()
    epochStart = .now
    // The first state is a checkpoint, too: whatever happens from now on, the run can go on.
    try saveCheckpoint(observer)
    try observer.trainingWillBegin(self)
    while state.step < totalSteps {
      if try runEpoch(observer: observer, stopRequested: stopRequested) == .stopped {
        return .stopped
      }
    }
    try saveCheckpoint(observer)
    try observer.trainingDidEnd(self)
    return .finished
  }

  /// Trains to the end of an epoch, from wherever in it the run stands: at least one step.
  private func runEpoch(
    observer: some TrainingObserver, stopRequested: () -> Bool
  ) throws -> RunEnding {
    epochStart = .now
    loader.shuffle(epoch: position.history.count)
    let epoch = position.history.count + 1  // People count from 1.
    repeat {
      let outcome = try Timeline.record(.step, state.step) {
        loader.begin(stepInEpoch: stepInEpoch)
        return try step.run(
          stopRequested: stopRequested(),
          rateFactor: settings.learningRateFactor(step: state.step, stepsPerEpoch: stepsPerEpoch))
      }
      position.sums += outcome.losses
      stepInEpoch += 1
      try observer.stepDidEnd(
        TrainingProgress(
          epoch: epoch, stepInEpoch: stepInEpoch, stepsPerEpoch: stepsPerEpoch,
          stepsTaken: state.step, totalSteps: totalSteps,
          means: position.sums / Double(stepInEpoch)))
      let epochIsWhole = stepInEpoch == stepsPerEpoch
      if epochIsWhole || state.step == totalSteps {
        try endEpoch(observer)
      }
      // A run that is over has nothing to go on with: it ends as one that nobody stopped.
      if outcome.stopRequested && state.step < totalSteps {
        try saveCheckpoint(observer)
        try observer.trainingDidStop(self)
        return .stopped
      }
      let isDue =
        schedule.steps > 0 && state.step.isMultiple(of: schedule.steps)
        || schedule.epochs > 0 && epochIsWhole && epoch.isMultiple(of: schedule.epochs)
      if isDue { try saveCheckpoint(observer) }
    } while stepInEpoch > 0 && state.step < totalSteps
    return .finished
  }

  private func endEpoch(_ observer: some TrainingObserver) throws {
    let seconds = currentPosition.seconds
    let record = record(seconds: seconds)
    history.append(record)
    if stepInEpoch == stepsPerEpoch {
      position.seconds = seconds
      closeEpoch()
      epochStart = .now
    }
    try sentinel.check()
    try observer.epochDidEnd(record, trainer: self)
  }

  /// Lets the observer write a checkpoint of a state that all ranks agree on; all ranks learn whether it could.
  private func saveCheckpoint(_ observer: some TrainingObserver) throws {
    guard lastCheckpointStep != state.step else { return }
    try sentinel.check()
    var failure: (any Error)?
    do {
      try observer.checkpointIsDue(self)
    } catch {
      failure = error
    }
    checkpointVotes.contribution[0] = failure == nil ? 0 : 1
    try checkpointVotes.run()
    if let failure { throw failure }
    if checkpointVotes.isAnySet { throw TrainingFailure.rootFailed }
    lastCheckpointStep = state.step
  }
}

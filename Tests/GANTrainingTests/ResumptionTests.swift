import Collectives
import MNISTFamily
import Matrices
import NeuralNetwork
import Testing

@testable import GANTraining

/// How a run goes on, for every place that it may have stopped at.
@Suite struct ResumptionTests {
  private static func configuration(
    images: Int, batchSize: Int, epochs: Int = 4, maximumSteps: Int? = nil, seed: UInt64 = 0,
    digest: String? = nil, tellsImages: Bool = true
  ) -> RunConfiguration {
    var settings = TrainingSettings()
    settings.globalBatchSize = batchSize
    settings.epochs = epochs
    settings.maximumSteps = maximumSteps
    settings.seed = seed
    return RunConfiguration(
      settings: settings, architecture: Architecture(imageSize: 30), imageHeight: 6, imageWidth: 5,
      dataDigest: digest ?? "of \(images) images", imageCount: tellsImages ? images : nil)
  }

  /// Where a run of whole epochs is after so many steps.
  private static func position(step: Int, stepsPerEpoch: Int) -> RunPosition {
    var position = RunPosition()
    position.step = step
    position.history = (0..<step / stepsPerEpoch).map {
      EpochRecord(
        epoch: $0 + 1, steps: stepsPerEpoch, sums: LossSummary(), seconds: 1, batchSize: 2)
    }
    position.sums.generatorLoss = Double(step % stepsPerEpoch)
    position.seconds = step % stepsPerEpoch == 0 ? 0 : 0.5
    return position
  }

  private static let sizes = [6, 7, 12, 13, 30, 31]
  private static let batchSizes = [2, 3, 6]

  /// Every step of every small run, gone on with any other data and batches.
  @Test(arguments: sizes, batchSizes)
  func everyStepIsGoneOnFrom(images: Int, batchSize: Int) throws {
    let begun = Self.configuration(images: images, batchSize: batchSize)
    let before = images / batchSize
    for step in 0...4 * before {
      let position = Self.position(step: step, stepsPerEpoch: before)
      for nextImages in Self.sizes {
        for nextBatchSize in Self.batchSizes {
          let next = Self.configuration(images: nextImages, batchSize: nextBatchSize)
          let resumption = try Resumption(
            at: position, begun: begun, next: next, imageCount: nextImages)
          let after = nextImages / nextBatchSize
          let isSame = nextImages == images && nextBatchSize == batchSize
          #expect((0..<after).contains(resumption.stepInEpoch))
          #expect(resumption.closesEpoch == (step % before > 0 && !isSame))
          let recorded = resumption.position.history.reduce(0) { $0 + $1.steps }
          #expect(recorded + resumption.stepInEpoch == step)
          #expect(resumption.position.isPossible)
          let epochsLeft = max(0, 4 - resumption.position.history.count)
          let stepsLeft = max(0, epochsLeft * after - resumption.stepInEpoch)
          #expect(resumption.totalSteps == step + stepsLeft)
          #expect(resumption.hasStepsLeft == (stepsLeft > 0))
        }
      }
    }
  }

  /// The epoch's record tells what was, not what will be.
  @Test func anEpochIsClosedAsItIs() throws {
    let resumption = try Resumption(
      at: Self.position(step: 7, stepsPerEpoch: 5),
      begun: Self.configuration(images: 30, batchSize: 6),
      next: Self.configuration(images: 12, batchSize: 3), imageCount: 12)
    let record = try #require(resumption.position.history.last)
    #expect(record.epoch == 2 && record.steps == 2 && record.seconds == 0.5)
    #expect(record.means.generatorLoss == 1)
    #expect(record.imagesPerSecond == 24)
    #expect(resumption.position.sums == LossSummary() && resumption.position.seconds == 0)
    #expect(resumption.totalSteps == 7 + 2 * 4)
  }

  /// As many steps an epoch, but other images or another order of them: one epoch does not mix
  /// both.
  @Test func anEpochOfOtherImagesIsClosed() throws {
    let begun = Self.configuration(images: 30, batchSize: 6)
    let position = Self.position(step: 7, stepsPerEpoch: 5)
    let others = [
      Self.configuration(images: 30, batchSize: 6, digest: "other"),
      Self.configuration(images: 30, batchSize: 6, seed: 1),
      Self.configuration(images: 31, batchSize: 6, digest: begun.dataDigest),
    ]
    for next in others {
      let resumption = try Resumption(
        at: position, begun: begun, next: next, imageCount: try #require(next.imageCount))
      #expect(resumption.closesEpoch)
    }
    let same = try Resumption(at: position, begun: begun, next: begun, imageCount: 30)
    #expect(!same.closesEpoch && same.stepInEpoch == 2 && same.position == position)
  }

  /// Checkpoints of version 0.1 do not tell how many images there were, and odd ones may claim more
  /// steps than there are.
  @Test func filesThatTellLessAreGoneOnFrom() throws {
    let begun = Self.configuration(images: 30, batchSize: 6, tellsImages: false)
    let next = Self.configuration(images: 30, batchSize: 6)
    let same = try Resumption(
      at: Self.position(step: 7, stepsPerEpoch: 5), begun: begun, next: next, imageCount: 30)
    #expect(!same.closesEpoch && same.stepInEpoch == 2)
    for step in [5, 6, 1000] {
      var odd = RunPosition()
      odd.step = step
      let resumption = try Resumption(at: odd, begun: begun, next: next, imageCount: 30)
      #expect(resumption.closesEpoch && resumption.stepInEpoch == 0)
      #expect(resumption.totalSteps == step + 15)
    }
  }

  @Test func theLimitOfStepsIsOfTheWholeRun() throws {
    for (limit, total) in [(3, 7), (7, 7), (8, 8), (20, 20), (21, 20)] {
      let next = Self.configuration(images: 30, batchSize: 6, maximumSteps: limit)
      let resumption = try Resumption(
        at: Self.position(step: 7, stepsPerEpoch: 5), begun: next, next: next, imageCount: 30)
      #expect(resumption.totalSteps == total)
    }
  }

  @Test(arguments: [1 << 32, Int.max]) func moreStepsThanRandomNumbersAreRefused(epochs: Int) {
    let next = Self.configuration(images: 30, batchSize: 6, epochs: epochs)
    #expect(throws: TrainingSettings.Invalid.self) {
      try Resumption(at: RunPosition(), begun: next, next: next, imageCount: 30)
    }
  }

  /// The loop itself: from any step, with fewer or more images, it comes to its end in as many
  /// steps as were promised.
  @Test(arguments: [12, 29, 30, 45], [0, 1, 4, 5, 7, 15])
  func theLoopTakesTheStepsThatAreLeft(images: Int, step: Int) throws {
    let begun = Self.configuration(images: 30, batchSize: 6)
    let next = Self.configuration(images: images, batchSize: 6)
    let set = try ImageDataSet(imageCount: images, imageHeight: 6, imageWidth: 5)
    let trainer = try Trainer(set, settings: next.settings, collective: SoloCollective())
    let resumption = try Resumption(
      at: Self.position(step: step, stepsPerEpoch: 5), begun: begun, next: next, imageCount: images)
    trainer.resume(resumption, isSaved: true)
    let watcher = Watcher()
    #expect(try trainer.run(observer: watcher) == .finished)
    #expect(watcher.steps == resumption.totalSteps - step)
    #expect(trainer.state.step == resumption.totalSteps)
    #expect(trainer.history.map(\.steps).reduce(0, +) == resumption.totalSteps)
    #expect(trainer.history.map(\.epoch) == Array(1...trainer.history.count))
  }

  /// A run that goes on elsewhere, or as something else, has a checkpoint before its first step.
  @Test(arguments: [true, false]) func aCheckpointIsDueAtOnceUnlessThereIsOne(isSaved: Bool) throws
  {
    let begun = Self.configuration(images: 30, batchSize: 6, maximumSteps: 9)
    let set = try ImageDataSet(imageCount: 30, imageHeight: 6, imageWidth: 5)
    let trainer = try Trainer(set, settings: begun.settings, collective: SoloCollective())
    let resumption = try Resumption(
      at: Self.position(step: 7, stepsPerEpoch: 5), begun: begun, next: begun, imageCount: 30)
    trainer.resume(resumption, isSaved: isSaved)
    let watcher = Watcher()
    _ = try trainer.run(observer: watcher)
    #expect(watcher.events == (isSaved ? ["begin", "save 9"] : ["save 7", "begin", "save 9"]))
  }

  /// A stop that is asked for with the last step finds a run that is over.
  @Test func aStopAtTheLastStepIsTheEnd() throws {
    let settings = Self.configuration(images: 30, batchSize: 6, maximumSteps: 3).settings
    let set = try ImageDataSet(imageCount: 30, imageHeight: 6, imageWidth: 5)
    for (lastStep, ending) in [(1, RunEnding.stopped), (2, .stopped), (3, .finished)] {
      let trainer = try Trainer(set, settings: settings, collective: SoloCollective())
      let isLast = { trainer.state.step == lastStep - 1 }
      #expect(try trainer.run(observer: Watcher(), stopRequested: isLast) == ending)
      #expect(trainer.state.step == lastStep)
    }
  }

  private final class Watcher: TrainingObserver {
    var steps = 0
    var events: [String] = []

    func trainingWillBegin(_ trainer: Trainer) { events.append("begin") }
    func stepDidEnd(_ progress: TrainingProgress) { steps += 1 }
    func checkpointIsDue(_ trainer: Trainer) { events.append("save \(trainer.state.step)") }
  }
}

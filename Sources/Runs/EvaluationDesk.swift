import Collectives
import Files
import GANTraining
import Judge
import MNISTFamily
import MPI

/// Evaluates G while it trains: all ranks make and compare images, rank 0 writes what comes of it.
package final class EvaluationDesk: TrainingObserver {
  /// Images made, and test and training images that they are compared with. Fewer than `gan-dist evaluate` takes: it
  /// has to cost little.
  package static let imageCount = 2_500

  private let interval: Int
  private let evaluator: Evaluator
  private let images: GeneratedImages
  /// What was found, for the plot.
  package private(set) var records: [EvaluationRecord] = []
  /// On rank 0.
  private let desk: RunDesk?
  private var table: OutputFile?
  private static let fileName = "evaluation.csv"

  /// Every rank must call this.
  /// - Parameters:
  ///   - trainer: whose G is evaluated.
  ///   - training: the images that it trains on.
  ///   - test: images that it never sees.
  ///   - interval: epochs between two evaluations; at least 1.
  ///   - desk: the run's folder and log, on rank 0.
  /// - Throws: `JudgeError`, `EigenvalueError`, `KernelError`, `MemoryError`, or what the collective throws.
  package init(
    _ trainer: Trainer, training: ImageDataSet, test: ImageDataSet, interval: Int, desk: RunDesk?,
    over collective: any Collective, _ communicator: Communicator
  ) throws {
    (self.interval, self.desk) = (interval, desk)
    let cache = try JudgeCache(of: training, over: collective, communicator) {
      desk?.log.logger.info("\($0)")
    }
    for note in cache.notes { desk?.log.logger.warning("\(note)") }
    evaluator = try Evaluator(
      cache.judge, training: training, test: test, count: Self.imageCount, findsCopies: false,
      over: collective)
    let state = trainer.state
    images = try GeneratedImages(
      state.generatorParameters, state.architecture, state: state.generator,
      count: Self.imageCount, seed: 0, over: collective)
  }

  /// Begins the table with the rows of the epochs that a resumed run has behind it.
  package func trainingWillBegin(_ trainer: Trainer) throws {
    guard let folder = desk?.folder else { return }
    let past = Set(trainer.history.map(\.epoch))
    if let file = try? InputFile(path: folder.file(Self.fileName)) {
      let text = withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
      records = text.split(separator: "\n").compactMap { EvaluationRecord(row: $0) }.filter {
        past.contains($0.epoch)
      }
    }
    try folder.write(EvaluationRecord.header + records.map(\.row).joined(), to: Self.fileName)
    table = try folder.appendableFile(Self.fileName)
  }

  package func epochDidEnd(_ record: EpochRecord, trainer: Trainer) throws {
    guard record.epoch.isMultiple(of: interval) || trainer.state.step == trainer.totalSteps else {
      return
    }
    let evaluation = try images.make { try evaluator.evaluate($0).evaluation }
    guard let desk else { return }
    let found = EvaluationRecord(epoch: record.epoch, evaluation)
    records.append(found)
    try table?.write(found.row)
    desk.log.logger.info("\(found.line)")
  }
}

/// Says in words when a training goes wrong: in the epoch in which it is first seen, and at the end of the run.
package final class HealthReporter: TrainingObserver {
  private let log: RunLog
  private let evaluations: () -> [EvaluationRecord]
  private var alarms: [TrainingAlarm] = []

  /// - Parameter evaluations: those so far.
  package init(log: RunLog, evaluations: @escaping () -> [EvaluationRecord]) {
    (self.log, self.evaluations) = (log, evaluations)
  }

  package func epochDidEnd(_ record: EpochRecord, trainer: Trainer) {
    let found = TrainingHealth.alarms(
      epochs: trainer.history, evaluations: evaluations(),
      labelSmoothing: trainer.settings.labelSmoothing)
    for alarm in found where !alarms.contains(where: { $0.kind == alarm.kind }) {
      log.logger.warning("\(alarm.text)")
    }
    alarms = found
  }

  package func trainingDidEnd(_ trainer: Trainer) {
    for alarm in alarms { log.logger.warning("at the end of the run: \(alarm.text)") }
  }
}

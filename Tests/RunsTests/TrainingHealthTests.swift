import Judge
import Testing

@testable import GANTraining
@testable import Runs

@Suite struct TrainingHealthTests {
  /// Epochs with losses and probabilities, numbered from 1.
  private func epochs(_ means: [(lossD: Double, real: Double, fake: Double)]) -> [EpochRecord] {
    means.enumerated().map { index, mean in
      var summary = LossSummary()
      summary.discriminatorLoss = mean.lossD
      summary.generatorLoss = 1
      summary.probabilityOfReal = mean.real
      summary.probabilityOfFake = mean.fake
      return EpochRecord(
        epoch: index + 1, steps: 10, means: summary, seconds: 1, imagesPerSecond: 640)
    }
  }

  /// An evaluation every 20 epochs.
  private func evaluations(
    _ values: [(fcd: Double, coverage: Double)], histogram: [Int] = [25, 25, 25, 25]
  ) -> [EvaluationRecord] {
    values.enumerated().map { index, value in
      EvaluationRecord(
        epoch: 20 * (index + 1),
        distance: SetDistance(
          frechet: value.fcd, kernel: 0, precision: 0.7, recall: 0.5, density: 0.7,
          coverage: value.coverage), floor: 0.4, inceptionScore: 3, histogram: histogram)
    }
  }

  private func kinds(
    _ epochs: [EpochRecord], _ evaluations: [EvaluationRecord] = []
  ) -> [TrainingAlarm.Kind] {
    TrainingHealth.alarms(epochs: epochs, evaluations: evaluations, labelSmoothing: 0.1)
      .map(\.kind)
  }

  private let healthy = [
    (lossD: 0.87, real: 0.72, fake: 0.23), (1.1, 0.6, 0.35), (1.26, 0.51, 0.39),
  ]

  @Test func nothingIsSaidOfAHealthyRun() {
    #expect(kinds([]) == [])
    #expect(kinds(epochs(healthy), evaluations([(40, 0.4), (30, 0.5), (19, 0.6)])) == [])
  }

  @Test func aWinOfDIsSeenAfterThreeEpochs() throws {
    let won = (lossD: 0.34, real: 0.89, fake: 0.01)
    #expect(kinds(epochs([healthy[0], won, won])) == [])
    let alarm = try #require(
      TrainingHealth.discriminatorWins(
        epochs([healthy[0], won, won, won]), labelSmoothing: 0.1))
    #expect(alarm.kind == .discriminatorWins && alarm.sinceEpoch == 2)
    for part in ["0.340", "0.325", "p_fake is 0.010", "since epoch 2", "--dropout"] {
      #expect(alarm.text.contains(part), "\(part)")
    }
    // A D that is too sure for its smoothed targets.
    let sure = (lossD: 1.25, real: 0.91, fake: 1e-20)
    #expect(kinds(epochs([sure, sure, sure])) == [.discriminatorWins])
    // A win that is over is none.
    #expect(kinds(epochs([won, won, won, healthy[1]])) == [])
  }

  @Test func withoutSmoothingTheLeastLossIsAnother() {
    let records = epochs([(0.34, 0.9, 0.01), (0.34, 0.9, 0.01), (0.34, 0.9, 0.01)])
    #expect(TrainingHealth.discriminatorWins(records, labelSmoothing: 0) == nil)
  }

  @Test func aWinOfGIsSeen() throws {
    let won = (lossD: 1.6, real: 0.4, fake: 0.5)
    let alarm = try #require(TrainingHealth.generatorWins(epochs([healthy[0], won, won, won])))
    #expect(alarm.kind == .generatorWins && alarm.sinceEpoch == 2)
    #expect(alarm.text.contains("0.500") && alarm.text.contains("0.400"))
    #expect(kinds(epochs([(1.376, 0.45, 0.45), (1.376, 0.45, 0.45), (1.376, 0.45, 0.45)])) == [])
  }

  @Test func missingClassesAreNamed() throws {
    let alarm = try #require(
      TrainingHealth.collapse(evaluations([(40, 0.3), (50, 0.3)], histogram: [50, 49, 1, 0])))
    #expect(alarm.kind == .collapse && alarm.sinceEpoch == 20)
    #expect(alarm.text.contains("classes 2, 3 of 4"))
    // Enough of each; a G that becomes better; one of which little is known.
    #expect(kinds([], evaluations([(40, 0.3), (50, 0.3)], histogram: [40, 40, 17, 3])) == [])
    #expect(kinds([], evaluations([(50, 0.3), (40, 0.3)], histogram: [50, 50, 0, 0])) == [])
    #expect(kinds([], evaluations([(40, 0.3)], histogram: [50, 50, 0, 0])) == [])
  }

  @Test func fallingCoverageIsSeenWithItsBeginning() throws {
    let records = evaluations([(40, 0.5), (50, 0.28), (50, 0.4), (50, 0.29), (50, 0.2)])
    let alarm = try #require(TrainingHealth.collapse(records))
    #expect(alarm.sinceEpoch == 80)
    #expect(alarm.text.contains("from 0.500 to 0.200"))
    #expect(TrainingHealth.collapse(Array(records.prefix(3))) == nil)
    #expect(TrainingHealth.collapse(evaluations([(90, 0.05), (90, 0.01)])) == nil)
  }

  @Test func longStandstillIsSeen() throws {
    let records = evaluations(
      [(40, 0.5), (30, 0.5)] + [(31, 0.5), (32, 0.5), (33, 0.5), (31, 0.5)])
    #expect(TrainingHealth.noProgress(records) == nil)
    let alarm = try #require(
      TrainingHealth.noProgress(
        evaluations([(40, 0.5), (30, 0.5), (31, 0.5), (32, 0.5), (33, 0.5), (31, 0.5), (35, 0.5)])))
    #expect(alarm.kind == .noProgress && alarm.sinceEpoch == 40)
    #expect(alarm.text.contains("was 30.00, and is 35.00 now"))
  }

  @Test func everyAlarmSaysWhatToTry() {
    for kind in TrainingAlarm.Kind.allCases {
      let text = TrainingAlarm(kind: kind, sinceEpoch: 3, finding: "it").text
      #expect(text.hasPrefix("it, since epoch 3. ") && text.contains("ry "))
    }
  }
}

@Suite struct EvaluationRecordTests {
  @Test func aRowIsReadBackBitForBit() throws {
    let record = EvaluationRecord(
      epoch: 20,
      distance: SetDistance(
        frechet: 19.1 / 3, kernel: -1.0 / 7, precision: 0.7, recall: 0.1, density: 2.0 / 3,
        coverage: 1), floor: 1.0 / 3, inceptionScore: 4.2, histogram: [3, 0, 7])
    #expect(EvaluationRecord(row: record.row.dropLast()) == record)
    #expect(
      record.row.split(separator: ",").count
        == EvaluationRecord.header.split(separator: ",").count)
  }

  @Test(arguments: ["", "epoch,fcd", "1,2,3,4,5,6,7,8,9,1 x", "1,2,3,4,5,6,7,8,9"])
  func whatIsNoRowIsNone(row: String) {
    #expect(EvaluationRecord(row: row) == nil)
  }
}

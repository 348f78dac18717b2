import GANTraining
import Texts

/// Something that goes wrong in a training, in words.
package struct TrainingAlarm: Equatable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    /// G makes only a part of what there is.
    case collapse
    /// D tells all images apart, so that G has nothing to learn from.
    case discriminatorWins
    /// D takes G's images for real ones more readily than real ones.
    case generatorWins
    /// The images have not become better for long.
    case noProgress
  }

  package let kind: Kind
  /// The first epoch in which it was seen.
  package let sinceEpoch: Int
  /// What was seen.
  package let finding: String

  /// What was seen, since when, and what to try.
  package var text: String { "\(finding), since epoch \(sinceEpoch). \(advice)" }

  private var advice: String {
    switch kind {
    case .collapse:
      "G's images become alike. Try a smaller --learning-rate, more --dropout, or another --seed"
    case .discriminatorWins:
      """
      G's gradient vanishes where D is sure. Try more --dropout (0.3), --label-smoothing (0.1), or a smaller \
      --learning-rate
      """
    case .generatorWins:
      "D no longer leads G anywhere. Try less --dropout, or a larger --batch-size"
    case .noProgress:
      "More epochs of the same may not help. Try a smaller --learning-rate, or take an earlier checkpoint"
    }
  }
}

/// Whether a training is healthy, judged by what is known of its epochs: pure functions.
package enum TrainingHealth {
  /// Epochs in a row that a player has to win.
  static let epochsOfAWin = 3
  /// D's loss above its least value, in nats, and its p_fake, below both of which D wins. It also wins with any loss if
  /// it hardly ever takes an image of G's for real: with label smoothing, a D that is too sure has a great loss.
  static let winOfD = (loss: 0.1, probabilityOfFake: 0.05, leastProbabilityOfFake: 0.005)
  /// How far p_fake has to be above p_real where G wins.
  static let leadOfG = 0.02
  /// A class is missing that has fewer than this share of what it would have if all were equal.
  static let shareOfAMissingClass = 0.1
  /// Images become better while their distance is below this share of the one before.
  static let shareOfTheDistanceBefore = 0.95
  /// Coverage that is lower in its best time is that of a G which has not learned much yet.
  static let leastCoverage = 0.1
  /// Coverage falls if it is below this share of the best so far.
  static let shareOfTheBestCoverage = 0.6
  /// Evaluations without a better one.
  static let evaluationsWithoutProgress = 5

  /// All alarms, at most one of a kind.
  package static func alarms(
    epochs: [EpochRecord], evaluations: [EvaluationRecord], labelSmoothing: Double
  ) -> [TrainingAlarm] {
    [
      collapse(evaluations), discriminatorWins(epochs, labelSmoothing: labelSmoothing),
      generatorWins(epochs), noProgress(evaluations),
    ].compactMap { $0 }
  }

  /// Whether classes are missing from the last images, or coverage has fallen.
  static func collapse(_ evaluations: [EvaluationRecord]) -> TrainingAlarm? {
    guard let last = evaluations.last else { return nil }
    func missing(_ record: EvaluationRecord) -> [Int] {
      let equal = Double(record.histogram.reduce(0, +)) / Double(max(record.histogram.count, 1))
      return record.histogram.indices.filter {
        Double(record.histogram[$0]) < shareOfAMissingClass * equal
      }
    }
    let classes = missing(last)
    // A G that is young, and gets better, has not found all classes yet.
    if !classes.isEmpty, let before = evaluations.dropLast().last, !missing(before).isEmpty,
      last.distance.frechet > shareOfTheDistanceBefore * before.distance.frechet
    {
      let since = evaluations.reversed().prefix { !missing($0).isEmpty }.last ?? last
      return TrainingAlarm(
        kind: .collapse, sinceEpoch: since.epoch,
        finding: """
          hardly an image of \(classes.count == 1 ? "class" : "classes") \
          \(classes.map(String.init).joined(separator: ", ")) of \(last.histogram.count)
          """)
    }
    var (best, since) = (0.0, last.epoch)
    var hasFallen = false
    for record in evaluations {
      best = max(best, record.distance.coverage)
      let falls =
        best >= leastCoverage && record.distance.coverage < shareOfTheBestCoverage * best
      if falls && !hasFallen { since = record.epoch }
      hasFallen = falls
    }
    guard hasFallen else { return nil }
    return TrainingAlarm(
      kind: .collapse, sinceEpoch: since,
      finding: "coverage has fallen from \(best.fixed(3)) to \(last.distance.coverage.fixed(3))")
  }

  /// Whether D has told all images apart in the last epochs.
  static func discriminatorWins(
    _ epochs: [EpochRecord], labelSmoothing: Double
  ) -> TrainingAlarm? {
    let least = GameBalance(labelSmoothing: labelSmoothing).leastDiscriminatorLoss
    let won = wonEpochs(epochs) {
      $0.probabilityOfFake < winOfD.leastProbabilityOfFake
        || $0.discriminatorLoss < least + winOfD.loss
          && $0.probabilityOfFake < winOfD.probabilityOfFake
    }
    guard let first = won.first, let last = won.last else { return nil }
    return TrainingAlarm(
      kind: .discriminatorWins, sinceEpoch: first.epoch,
      finding: """
        D wins: its loss is \(last.means.discriminatorLoss.fixed(3)) (the least is \(least.fixed(3))), p_fake is \
        \(last.means.probabilityOfFake.fixed(3)), G's loss \(last.means.generatorLoss.fixed(3))
        """)
  }

  /// Whether D has taken G's images for real ones rather than real ones in the last epochs.
  static func generatorWins(_ epochs: [EpochRecord]) -> TrainingAlarm? {
    let won = wonEpochs(epochs) { $0.probabilityOfFake > $0.probabilityOfReal + leadOfG }
    guard let first = won.first, let last = won.last else { return nil }
    return TrainingAlarm(
      kind: .generatorWins, sinceEpoch: first.epoch,
      finding: """
        G wins: p_fake is \(last.means.probabilityOfFake.fixed(3)), above p_real \
        \(last.means.probabilityOfReal.fixed(3))
        """)
  }

  /// The last epochs in a row of which something holds; none if they are too few.
  private static func wonEpochs(
    _ epochs: [EpochRecord], _ isWon: (LossSummary) -> Bool
  ) -> ArraySlice<EpochRecord> {
    let count = epochs.reversed().prefix { isWon($0.means) }.count
    return count >= epochsOfAWin ? epochs.suffix(count) : []
  }

  /// Whether the best distance is long ago.
  static func noProgress(_ evaluations: [EvaluationRecord]) -> TrainingAlarm? {
    guard
      let best = evaluations.indices.min(by: {
        evaluations[$0].distance.frechet < evaluations[$1].distance.frechet
      }), evaluations.count - 1 - best >= evaluationsWithoutProgress
    else { return nil }
    return TrainingAlarm(
      kind: .noProgress, sinceEpoch: evaluations[best].epoch,
      finding: """
        no progress: fcd was \(evaluations[best].distance.frechet.fixed(2)), and is \
        \((evaluations.last?.distance.frechet ?? 0).fixed(2)) now
        """)
  }
}

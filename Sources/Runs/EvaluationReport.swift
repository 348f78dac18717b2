import FoundationEssentials
import Judge
import Texts

/// An evaluation for people, and for programs.
package struct EvaluationReport {
  private let evaluation: ImageEvaluation
  private let file: String
  private let seed: UInt64
  private let judge: String
  private let classNames: [String]?

  /// - Parameters:
  ///   - file: whose images were evaluated.
  ///   - seed: of their noise.
  ///   - judge: the digest of the judge.
  ///   - classNames: of the data; nil for numbers.
  package init(
    _ evaluation: ImageEvaluation, file: String, seed: UInt64, judge: String, classNames: [String]?
  ) {
    (self.evaluation, self.file, self.seed) = (evaluation, file, seed)
    (self.judge, self.classNames) = (judge, classNames)
  }

  private typealias Row = (
    name: String, key: String, value: KeyPath<SetDistance, Double> & Sendable, decimals: Int,
    better: String
  )
  private static let rows: [Row] = [
    ("fcd", "fcd", \.frechet, 3, "less"), ("kid", "kid", \.kernel, 5, "less"),
    ("precision", "precision", \.precision, 4, "more"), ("recall", "recall", \.recall, 4, "more"),
    ("density", "density", \.density, 4, "more"),
    ("coverage", "coverage", \.coverage, 4, "more"),
  ]

  /// The lines that people read.
  package var text: String {
    let it = evaluation
    func cells(_ cells: [String]) -> String {
      "  "
        + cells.enumerated().map { index, cell in
          let room = String(repeating: " ", count: max(0, (index == 0 ? 12 : 14) - cell.count))
          return index == 0 ? cell + room : room + cell
        }.joined() + "\n"
    }
    var text = "\(file): \(Phrases.count(it.generatedCount, "image")), seed \(seed)\n"
    text +=
      "  judge \(judge.prefix(16)), which knows \((100 * it.judgeAccuracy).fixed(2)) % of the test images\n\n"
    text += cells(["", "test images", "training", "floor", "better is"])
    for row in Self.rows {
      text += cells(
        [row.name]
          + [it.againstTest, it.againstTraining, it.floor].map {
            $0[keyPath: row.value].fixed(row.decimals)
          } + [row.better])
    }
    text += "\n  The floor is \(Phrases.count(it.trainingCount)) training images against "
    text += "\(Phrases.count(it.testCount)) test images: what real images reach.\n\n"
    let (own, real) = (it.generatedClasses, it.testClasses)
    text += "  inception score of the judge  \(own.inceptionScore.fixed(3))"
    text += " (test images \(real.inceptionScore.fixed(3)))\n"
    text += "  classes, distance from uniform  \(own.distanceFromUniform.fixed(4))"
    text += " (test images \(real.distanceFromUniform.fixed(4)))\n"
    for (label, count) in own.histogram.enumerated() {
      let name = classNames.flatMap { label < $0.count ? $0[label] : nil } ?? "class \(label)"
      text += cells([name, Phrases.count(count)])
    }
    if let copying = it.copying {
      text +=
        "\n  A generated image is farther from its nearest training image than a test image is in "
      text += "\((100 * copying.shareFarther).fixed(2)) % of all pairs "
      text += "(\(copying.deviations.fixed(1)) deviations from 50 %; copies: far below -3).\n"
    }
    return text
  }

  private struct Numbers: Encodable {
    var values: [String: Double]
    var counts: [String: Int]
    var texts: [String: String]
    var histograms: [String: [Int]]

    struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      for (key, value) in values { try container.encode(value, forKey: Key(stringValue: key)) }
      for (key, value) in counts { try container.encode(value, forKey: Key(stringValue: key)) }
      for (key, value) in texts { try container.encode(value, forKey: Key(stringValue: key)) }
      for (key, value) in histograms { try container.encode(value, forKey: Key(stringValue: key)) }
    }
  }

  /// One JSON object, with all digits.
  package func json() throws -> String {
    let it = evaluation
    var values: [String: Double] = [
      "inception_score": it.generatedClasses.inceptionScore,
      "inception_score_test": it.testClasses.inceptionScore,
      "class_distance_from_uniform": it.generatedClasses.distanceFromUniform,
      "class_distance_from_uniform_test": it.testClasses.distanceFromUniform,
      "judge_accuracy": it.judgeAccuracy,
    ]
    for row in Self.rows {
      values[row.key] = it.againstTest[keyPath: row.value]
      values["\(row.key)_training"] = it.againstTraining[keyPath: row.value]
      values["\(row.key)_floor"] = it.floor[keyPath: row.value]
    }
    if let copying = it.copying {
      values["copying_share_farther"] = copying.shareFarther
      values["copying_deviations"] = copying.deviations
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(
      Numbers(
        values: values,
        counts: [
          "count": it.generatedCount, "count_test": it.testCount,
          "count_training": it.trainingCount, "seed": Int(clamping: seed),
        ], texts: ["file": file, "judge": judge],
        histograms: [
          "classes": it.generatedClasses.histogram, "classes_test": it.testClasses.histogram,
        ]))
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}

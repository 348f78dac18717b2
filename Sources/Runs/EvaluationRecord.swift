import Judge
import Texts

/// How good the images were after an epoch.
package struct EvaluationRecord: Equatable, Sendable {
  package var epoch: Int
  /// Against test images.
  package var distance: SetDistance
  /// The Fréchet classifier distance of training images from test images.
  package var floor: Double
  package var inceptionScore: Double
  /// Generated images of each class.
  package var histogram: [Int]

  package init(
    epoch: Int, distance: SetDistance, floor: Double, inceptionScore: Double, histogram: [Int]
  ) {
    (self.epoch, self.distance, self.floor) = (epoch, distance, floor)
    (self.inceptionScore, self.histogram) = (inceptionScore, histogram)
  }

  init(epoch: Int, _ evaluation: ImageEvaluation) {
    self.init(
      epoch: epoch, distance: evaluation.againstTest, floor: evaluation.floor.frechet,
      inceptionScore: evaluation.generatedClasses.inceptionScore,
      histogram: evaluation.generatedClasses.histogram)
  }

  static let header =
    "epoch,fcd,fcd_floor,kid,precision,recall,density,coverage,inception_score,classes [images]\n"

  /// A row of evaluation.csv, with all digits; the classes are separated by spaces.
  var row: String {
    let numbers =
      [
        distance.frechet, floor, distance.kernel, distance.precision, distance.recall,
        distance.density, distance.coverage, inceptionScore,
      ].map { "\($0)" }
    let classes = histogram.map(String.init).joined(separator: " ")
    return "\(epoch),\(numbers.joined(separator: ",")),\(classes)\n"
  }

  /// The record of a row; nil if it is none.
  init?(row: some StringProtocol) {
    let cells = row.split(separator: ",", omittingEmptySubsequences: false)
    guard cells.count == 10, let epoch = Int(cells[0]) else { return nil }
    let numbers = cells[1..<9].compactMap { Double($0) }
    let parts = cells[9].split(separator: " ")
    let histogram = parts.compactMap { Int($0) }
    guard numbers.count == 8, histogram.count == parts.count else { return nil }
    self.init(
      epoch: epoch,
      distance: SetDistance(
        frechet: numbers[0], kernel: numbers[2], precision: numbers[3], recall: numbers[4],
        density: numbers[5], coverage: numbers[6]),
      floor: numbers[1], inceptionScore: numbers[7], histogram: histogram)
  }

  /// What the log says of it.
  var line: String {
    """
    epoch \(epoch): fcd \(distance.frechet.fixed(2)) (floor \(floor.fixed(2)))  \
    precision \(distance.precision.fixed(3))  recall \(distance.recall.fixed(3))  \
    coverage \(distance.coverage.fixed(3))
    """
  }
}

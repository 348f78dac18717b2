import GANTraining
import Texts

/// metrics.csv: a row an epoch, units in the header.
struct MetricsTable {
  static let header =
    "epoch,steps,loss_d [nats],loss_g [nats],p_real [probability],p_fake [probability],"
    + "time [s],speed [images/s]"

  private let file: OutputFile

  /// Begins the table with the rows of the epochs that a resumed run has behind it, and no others.
  /// - Throws: `RunFolderError`.
  init(folder: RunFolder, history: [EpochRecord]) throws {
    try folder.write(
      Self.header + "\n" + history.map(Self.row).joined(), to: "metrics.csv")
    file = try folder.appendableFile("metrics.csv")
  }

  /// Appends the row of an epoch.
  func append(_ record: EpochRecord) throws { try file.write(Self.row(record)) }

  /// Means with all their digits.
  private static func row(_ record: EpochRecord) -> String {
    let means = record.means
    return "\(record.epoch),\(record.steps),\(means.discriminatorLoss),\(means.generatorLoss),"
      + "\(means.probabilityOfReal),\(means.probabilityOfFake),"
      + "\(record.seconds.fixed(3)),\(record.imagesPerSecond.fixed(1))\n"
  }
}

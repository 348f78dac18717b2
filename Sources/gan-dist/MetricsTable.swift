import GANTraining

/// metrics.csv: a row an epoch, units in the header.
struct MetricsTable {
  static let header =
    "epoch,steps,loss_d [nats],loss_g [nats],p_real [probability],p_fake [probability],"
    + "time [s],speed [images/s]"

  private let file: OutputFile

  /// - Throws: `RunFolderError`.
  init(folder: RunFolder) throws {
    file = try folder.appendableFile("metrics.csv")
    try file.write(Self.header + "\n")
  }

  /// Appends the row of an epoch; means with all their digits.
  func append(_ record: EpochRecord) throws {
    let means = record.means
    try file.write(
      "\(record.epoch),\(record.steps),\(means.discriminatorLoss),\(means.generatorLoss),"
        + "\(means.probabilityOfReal),\(means.probabilityOfFake),"
        + "\(Phrases.fixed(record.seconds, 3)),\(Phrases.fixed(record.imagesPerSecond, 1))\n")
  }
}

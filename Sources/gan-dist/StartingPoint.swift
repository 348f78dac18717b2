import FoundationEssentials
import GANTraining
import MPI

/// Where a resumed run goes on: read by rank 0, known to all ranks.
struct StartingPoint {
  let configuration: RunConfiguration
  let position: RunPosition
  /// On rank 0 only.
  private let checkpoint: Checkpoint?

  private struct Message: Codable {
    let configuration: RunConfiguration
    let position: RunPosition
  }

  /// Finds the checkpoint on rank 0 and tells all ranks of it. Every rank must call this.
  /// - Parameter find: is called on rank 0 only; nil if the run begins at its beginning.
  /// - Returns: nil if there is no checkpoint.
  static func agree(
    over communicator: Communicator, find: () throws -> Checkpoint?
  ) throws -> StartingPoint? {
    let checkpoint = communicator.rank == 0 ? try find() : nil
    var text = Data()
    if let checkpoint {
      text = try JSONEncoder().encode(
        Message(configuration: checkpoint.configuration, position: checkpoint.position))
    }
    let bytes = try communicator.broadcast(Array(text), from: 0)
    guard !bytes.isEmpty else { return nil }
    let message = try JSONDecoder().decode(Message.self, from: Data(bytes))
    return StartingPoint(
      configuration: message.configuration, position: message.position, checkpoint: checkpoint)
  }

  /// Sees that the run goes on with the images, and the image size, that it was begun with.
  /// - Throws: `TrainingSettings.Invalid`, on every rank.
  func demandSameData(as other: RunConfiguration, unless override: Bool) throws {
    guard configuration.architecture == other.architecture else {
      throw TrainingSettings.Invalid(
        setting: "--data",
        reason: """
          has images of \(other.imageHeight) x \(other.imageWidth), but the run's networks are made for \
          \(configuration.imageHeight) x \(configuration.imageWidth)
          """)
    }
    guard configuration.dataDigest == other.dataDigest || override else {
      throw TrainingSettings.Invalid(
        setting: "--data",
        reason: "is another data set than the run was begun with; add --override to go on with it")
    }
  }

  /// Puts the run where the checkpoint left it, on all ranks. Every rank must call this.
  /// - Parameter imageCount: images of the data set.
  func restore(
    _ trainer: Trainer, imageCount: Int, over communicator: Communicator
  ) throws {
    if let checkpoint { try checkpoint.load(into: trainer.state) }
    for arena in trainer.state.arenas { try communicator.broadcast(arena.values, from: 0) }
    trainer.resume(
      at: position,
      stepsPerEpochBefore: configuration.settings.stepsPerEpoch(imageCount: imageCount))
  }
}

import FoundationEssentials
import GANTraining
import MPI

/// Where a resumed run goes on: read by rank 0, known to all ranks.
package struct StartingPoint {
  package let configuration: RunConfiguration
  package let position: RunPosition
  /// Whether the run's folder has the checkpoint.
  private let isSaved: Bool
  /// On rank 0 only.
  private let checkpoint: Checkpoint?

  private struct Message: Codable {
    let configuration: RunConfiguration
    let position: RunPosition
    let isSaved: Bool
  }

  /// Tells all ranks of the checkpoint that rank 0 goes on from. Every rank must call this.
  /// - Parameters:
  ///   - plan: on rank 0.
  ///   - communicator: of all ranks.
  /// - Returns: nil if the run begins at its beginning.
  package static func share(
    _ plan: RunPlan?, over communicator: Communicator
  ) throws -> StartingPoint? {
    var text = Data()
    if let plan, let checkpoint = plan.checkpoint {
      text = try JSONEncoder().encode(
        Message(
          configuration: checkpoint.configuration, position: checkpoint.position,
          isSaved: plan.isSaved))
    }
    let bytes = try communicator.broadcast(Array(text), from: 0)
    guard !bytes.isEmpty else { return nil }
    let message = try JSONDecoder().decode(Message.self, from: Data(bytes))
    return StartingPoint(
      configuration: message.configuration, position: message.position, isSaved: message.isSaved,
      checkpoint: plan?.checkpoint)
  }

  /// How the run goes on with a configuration.
  /// - Parameters:
  ///   - next: the configuration.
  ///   - imageCount: how many images the data have.
  ///   - override: whether it may be another than the run was begun with.
  /// - Throws: `TrainingSettings.Invalid`, on every rank, for what it cannot go on with.
  package func resumption(
    as next: RunConfiguration, imageCount: Int, override: Bool
  ) throws -> Resumption {
    try demandSameData(as: next, unless: override)
    let resumption = try Resumption(
      at: position, begun: configuration, next: next, imageCount: imageCount)
    if !resumption.hasStepsLeft && changesTraining(next) {
      let epochs = "\(next.settings.epochs)"
      let steps = next.settings.maximumSteps.map { " (--max-steps \($0))" } ?? ""
      throw TrainingSettings.Invalid(
        setting: "--override",
        reason: """
          goes on with something else, but no step is left of --epochs \(epochs)\(steps) after \
          step \(position.step)\(resumption.closesEpoch ? ", where an epoch ends for it" : ""): \
          give more --epochs or --max-steps
          """)
    }
    return resumption
  }

  /// Sees that the run goes on with the images, and the image size, that it was begun with.
  private func demandSameData(as other: RunConfiguration, unless override: Bool) throws {
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
        reason: """
          is another data set than the run was begun with; name the folder of that one, or add \
          --override to go on with another
          """)
    }
  }

  /// Whether steps would be others than those of the run so far.
  private func changesTraining(_ next: RunConfiguration) -> Bool {
    var settings = next.settings
    // How long to train is not a property of what is trained.
    settings.epochs = configuration.settings.epochs
    settings.maximumSteps = configuration.settings.maximumSteps
    return settings != configuration.settings || next.dataDigest != configuration.dataDigest
  }

  /// Reads the checkpoint's tensors, on rank 0; does nothing on others.
  /// - Parameter state: where they go.
  package func load(into state: TrainingState) throws { try checkpoint?.load(into: state) }

  /// Puts the run where the checkpoint left it, on all ranks; rank 0 has loaded it. Every rank must call this.
  /// - Parameters:
  ///   - trainer: of the run, with the state that was loaded.
  ///   - resumption: how the run goes on.
  ///   - next: what the run is set to from now on.
  ///   - communicator: of all ranks.
  package func restore(
    _ trainer: Trainer, _ resumption: Resumption, as next: RunConfiguration,
    over communicator: Communicator
  ) throws {
    // Ranks that share memory must not all receive into it: one speaks for them. The others look at it after the next
    // exchange.
    if let leaders = try communicator.split(isMember: trainer.topology.isLeader) {
      for arena in trainer.state.arenas { try leaders.broadcast(arena.values, from: 0) }
    }
    trainer.resume(resumption, isSaved: isSaved && configuration == next)
  }
}

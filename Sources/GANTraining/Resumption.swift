/// How a run goes on from where it stands: in which epoch, and for how many steps.
///
/// Arithmetic only, so that every case can be tried without a run.
public struct Resumption: Equatable, Sendable {
  /// Where the run stands; an epoch that cannot be gone on with is closed here.
  public let position: RunPosition
  /// Steps taken of the epoch that is not over; always fewer than an epoch has.
  public let stepInEpoch: Int
  /// Global steps at the end of the run, those behind it included.
  public let totalSteps: Int
  /// Whether an epoch ends where it is, because its images would now come in another order.
  public let closesEpoch: Bool

  /// - Parameters:
  ///   - position: what the checkpoint says.
  ///   - begun: what the run was set to until then.
  ///   - next: what it is set to from now on.
  ///   - imageCount: images of the data set that it goes on with.
  /// - Throws: `TrainingSettings.Invalid` for more steps than have random numbers.
  public init(
    at position: RunPosition, begun: RunConfiguration, next: RunConfiguration, imageCount: Int
  ) throws {
    let settings = next.settings
    let stepsPerEpoch = settings.stepsPerEpoch(imageCount: imageCount)
    let taken = position.step - position.history.reduce(0) { $0 + $1.steps }
    let goesOn = Self.sameImages(begun, next, imageCount: imageCount) && taken < stepsPerEpoch
    var position = position
    closesEpoch = taken > 0 && !goesOn
    if closesEpoch {
      position.history.append(
        EpochRecord(
          epoch: position.history.count + 1, steps: taken, sums: position.sums,
          seconds: position.seconds, batchSize: begun.settings.globalBatchSize))
      position.sums = LossSummary()
      position.seconds = 0
    }
    self.position = position
    stepInEpoch = closesEpoch ? 0 : taken
    let epochsLeft = max(0, settings.epochs - position.history.count)
    let (stepsOfEpochs, overflow) = epochsLeft.multipliedReportingOverflow(by: stepsPerEpoch)
    guard !overflow && stepsOfEpochs <= TrainingSettings.mostSteps - position.step else {
      throw TrainingSettings.Invalid(
        setting: "--epochs",
        reason: """
          is \(settings.epochs), which makes more than the 2^32 steps that have random numbers
          """)
    }
    let end = position.step + max(0, stepsOfEpochs - stepInEpoch)
    totalSteps = max(position.step, min(end, settings.maximumSteps ?? end))
  }

  /// Whether steps are left to be taken.
  public var hasStepsLeft: Bool { totalSteps > position.step }

  /// Whether an epoch has the same images in the same batches.
  private static func sameImages(
    _ begun: RunConfiguration, _ next: RunConfiguration, imageCount: Int
  ) -> Bool {
    begun.dataDigest == next.dataDigest
      && begun.imageCount ?? imageCount == imageCount
      && begun.settings.globalBatchSize == next.settings.globalBatchSize
      && begun.settings.seed == next.settings.seed
  }
}

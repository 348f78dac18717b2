import Collectives
import GANTraining
import MNISTFamily
import MPI
import MPICollectives
import Runs
import Timelines

/// Measures steps of one host alone and of all hosts, at growing batch sizes, until the hosts pay.
struct ScalingSurvey {
  /// All ranks, and those of this rank's host as a job of their own.
  let allHosts, ownHost: RankDirectory
  let dataSet: ImageDataSet
  let settings: TrainingSettings
  let networkCollectives: NetworkCollectives

  /// No larger batch is tried: it would take minutes.
  private static let largestBatchSize = 8192
  /// The first steps of a point warm caches up; the others take about this many milliseconds.
  private static let warmUp = 3
  private static let millisecondsOfPoint = 1500.0

  /// Every rank must call this.
  /// - Parameter milliseconds: of a step of all hosts with the settings' batch, as measured.
  /// - Returns: points in ascending order of batch sizes, on rank 0; what others return is their own host's.
  /// - Throws: `MPIError`; what training throws.
  func points(milliseconds: Double) throws -> [ScalingAdvice.Point] {
    let world = allHosts.hosts.world
    let hostCount = allHosts.hosts.ranks.count
    var points: [ScalingAdvice.Point] = []
    var expected = try world.broadcast(milliseconds, from: 0)
    var batchSize = settings.globalBatchSize
    while true {
      var here = settings
      here.globalBatchSize = batchSize
      let steps = max(9, min(200, Int(Self.millisecondsOfPoint / expected)))
      let all = try points.isEmpty ? milliseconds : time(here, steps: steps, on: allHosts)
      let one = try time(here, steps: steps, on: ownHost)
      // Hosts differ, and clocks do: rank 0's count.
      let point = ScalingAdvice.Point(
        batchSize: batchSize, oneHost: try world.broadcast(one, from: 0),
        allHosts: try world.broadcast(all, from: 0))
      points.append(point)
      if ScalingAdvice.efficiency(point, hostCount: hostCount) >= ScalingAdvice.goodEfficiency {
        break
      }
      batchSize *= 2
      expected = 2 * max(point.oneHost, point.allHosts)
      guard batchSize <= min(Self.largestBatchSize, dataSet.imageCount), try fits(batchSize) else {
        break
      }
    }
    return points
  }

  /// Whether all hosts have the memory that one of them alone takes. Every rank must call this.
  private func fits(_ batchSize: Int) throws -> Bool {
    let memory = TrainingMemory(
      Architecture(imageSize: dataSet.pixelsPerImage), globalBatchSize: batchSize,
      rankCount: ownHost.rankCount, ranksOnHost: ownHost.rankCount)
    // The job of all hosts needs as much, and what was tried before still has its own.
    do { try allHosts.hosts.world.agree { try memory.demand() } } catch is AgreedFailure {
      return false
    }
    return true
  }

  /// The median of some steps, in milliseconds. Every rank of the directory must call this.
  private func time(
    _ settings: TrainingSettings, steps: Int, on ranks: RankDirectory
  ) throws -> Double {
    var settings = settings
    settings.maximumSteps = Self.warmUp + steps
    settings.epochs =
      1 + (Self.warmUp + steps) / max(settings.stepsPerEpoch(imageCount: dataSet.imageCount), 1)
    let communicator = ranks.hosts.world
    let watch =
      communicator.rankCount > 1
      ? try StallWatch(communicator, timeout: TrainCommand.Usual.stallTimeout) : nil
    let clock = StepClock(warmUp: Self.warmUp)
    let trainer = try Trainer(
      dataSet, settings: settings,
      collective: try ranks.collective(
        for: settings, dataSet, networkCollectives, log: ExchangeLog(watch: watch)),
      rankNames: ranks.names)
    _ = try trainer.run(observer: clock)
    try communicator.barrier()
    let sorted = clock.milliseconds.sorted()
    return sorted[sorted.count / 2]
  }
}

/// How long steps take, without a look at their parts.
private final class StepClock: TrainingObserver {
  private(set) var milliseconds: [Double] = []
  private let warmUp: Int
  private var lastEnd = 0
  private var stepsSeen = 0

  init(warmUp: Int) { self.warmUp = warmUp }

  func trainingWillBegin(_ trainer: Trainer) { lastEnd = Timeline.now() }

  func stepDidEnd(_ progress: TrainingProgress) {
    let now = Timeline.now()
    stepsSeen += 1
    if stepsSeen > warmUp { milliseconds.append(Double(now - lastEnd) / 1e6) }
    lastEnd = now
  }
}

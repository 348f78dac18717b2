import ArgumentParser
import Collectives
import GANTraining
import Glibc
import MNISTFamily
import MPI
import MPICollectives
import Matrices
import Memory
import NeuralNetwork
import ProcessorPeak
import Runs
import Texts
import Timelines

/// `gan-dist bench`: how long a step takes here, and what it is spent on.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure how long a training step takes, and what the time is spent on.",
    discussion: """
      Trains as `gan-dist train` does, but keeps nothing. First come steps that are not counted; then steps that are \
      only timed; then as many again in which every part is timed. The peak is measured on the spot: what the same \
      threads reach at the same time with nothing but multiply-adds in registers.

      On several hosts it ends with an advice: how many times as fast as one host they are, and from which batch size \
      on they reach 80 % of what so many hosts could. For that each host also trains alone, and batches grow.

        gan-dist bench --threads 1
        mpirun -np 2 gan-dist bench --batch-size 128 --json
      """)

  @OptionGroup(title: "Training") var training: TrainingOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Steps to measure.", valueName: "n"),
    transform: NumberOption<Int>.whole("--steps", 1...100_000).parse)
  var steps = 300

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Steps before that.", valueName: "n"),
    transform: NumberOption<Int>.whole("--warm-up", 0...1_000_000_000).parse)
  var warmUp = 50

  @OptionGroup var network: NetworkOptions

  @OptionGroup var resources: ResourceOptions

  @Option(help: ArgumentHelp("Folder of the data, as in `train`.", valueName: "dir"))
  var data: String?

  @Flag(help: "Print one JSON object instead of lines for people.")
  var json = false

  @Flag(help: "Also say how long rank 0 takes for each layer and exchange.")
  var layers = false

  @Flag(
    inversion: .prefixedNo,
    help: "On several hosts: say from which batch size on they pay, measured in some more seconds.")
  var advice = true

  func validate() throws {
    if training.epochs != nil || training.maxSteps != nil || training.override {
      throw ValidationError(
        "--epochs, --max-steps and --override are for training: a benchmark has --steps.")
    }
  }

  func run() throws {
    ResourceDemand.beforeMPI()
    let processor = ProcessorCheck()
    let watch = StartReport.watch(patience: TrainCommand.Usual.stallTimeout)
    let result = MPISession.run(startWatch: watch, explain: FailureReport.explain) {
      try measure($0, processor)
    }
    if let result { FileCommand.end(delivering: result) }
  }

  /// Every rank must call this.
  /// - Returns: what is to be printed, on rank 0.
  private func measure(
    _ communicator: Communicator, _ processor: ProcessorCheck
  ) throws -> String? {
    let ranks = try resources.start(over: communicator)
    let instructionSets = try processor.agree(over: communicator, rankNames: ranks.names)
    var settings = try training.settings(rankCount: communicator.rankCount, resuming: nil)
    try settings.validate(instructionSets: instructionSets, rankNames: ranks.names)
    let shared = try SharedDataSet(on: ranks.hosts) {
      try communicator.agreeOnRoot { try TrainingData(explicitFolder: data) }
    }
    try settings.validate(
      imageCount: shared.training.imageCount, pixelsPerImage: shared.training.pixelsPerImage)
    settings.maximumSteps = warmUp + 2 * steps
    let stepsPerEpoch = max(settings.stepsPerEpoch(imageCount: shared.training.imageCount), 1)
    settings.epochs = 1 + (warmUp + 2 * steps) / stepsPerEpoch
    let stopwatch = try communicator.agree {
      try StepStopwatch(
        warmUp: warmUp, steps: steps,
        blockCount: BatchPlacement.blockCount(settings.globalBatchSize))
    }
    let watch =
      communicator.rankCount > 1
      ? try StallWatch(
        communicator, timeout: TrainCommand.Usual.stallTimeout, flightRecordFolder: nil) : nil
    let trainer = try Trainer(
      shared.training, settings: settings,
      collective: try ranks.collective(
        for: settings, shared.training, network.collectives, log: ExchangeLog(watch: watch)),
      rankNames: ranks.names)
    _ = try trainer.run(observer: stopwatch)

    try communicator.barrier()
    let peak = try communicator.allGather(PeakRate.measure(seconds: 0.3)).reduce(0, +)
    let shares = try TimeShares(stopwatch, over: communicator)
    let scaling = try scaling(ranks, settings, shared.training, stopwatch, shares)
    guard communicator.rank == 0 else { return nil }
    let report = BenchReport(
      ranks: ranks, settings: settings, architecture: trainer.state.architecture,
      milliseconds: stopwatch.milliseconds, peak: peak, shares: shares, scaling: scaling)
    if stopwatch.isIncomplete {
      Console.error.say("gan-dist: warning: more spans than room for them: shares are too low\n")
    }
    let lines =
      report.lines + (layers ? stopwatch.linesOfNames : [])
      + (scaling.map { ["  \($0.line)"] } ?? [])
    return json ? try report.json : lines.joined(separator: "\n") + "\n"
  }

  /// What several hosts are good for; nil on one host. Every rank must call this.
  private func scaling(
    _ ranks: RankDirectory, _ settings: TrainingSettings, _ dataSet: ImageDataSet,
    _ stopwatch: StepStopwatch, _ shares: TimeShares
  ) throws -> ScalingAdvice? {
    let hostCount = ranks.hosts.ranks.count
    guard advice && hostCount > 1 else { return nil }
    let survey = ScalingSurvey(
      allHosts: ranks, ownHost: try resources.directory(of: ranks.hosts.own), dataSet: dataSet,
      settings: settings, networkCollectives: network.collectives)
    return ScalingAdvice(
      hostCount: hostCount, points: try survey.points(milliseconds: stopwatch.medianMilliseconds),
      exposedMilliseconds: shares.milliseconds[.waiting] ?? 0)
  }
}

/// Times steps: first without a look at their parts, then with one.
final class StepStopwatch: TrainingObserver {
  /// Of each step that was only timed, in milliseconds.
  private(set) var milliseconds: [Double] = []
  /// What the other steps were spent on.
  private(set) var spans: [Timeline.Span] = []
  /// Processor time that all threads of this rank spent on the other steps, by kind, in nanoseconds.
  private(set) var work: [Timeline.Kind: Int] = [:]
  /// How long the other steps took, in nanoseconds.
  private(set) var nanosecondsWithParts = 0
  let steps: Int
  private let warmUp: Int
  private var lastEnd = 0
  private var stepsSeen = 0

  private let spanCapacity: Int
  /// Whether there were more spans than room for them.
  var isIncomplete: Bool { spans.count == spanCapacity }

  /// - Parameter blockCount: of the batch; leaves of sums over rows have spans of their own.
  /// - Throws: `MemoryError` if there is none for the spans.
  init(warmUp: Int, steps: Int, blockCount: Int) throws {
    self.warmUp = warmUp
    self.steps = steps
    let purpose = "what the parts of \(steps) steps of \(blockCount) blocks take"
    let spansOfBlocks = try Memory.product(40, blockCount, for: purpose)
    spanCapacity = try Memory.product(steps, 1000 + spansOfBlocks, for: purpose)
    // They are recorded in one place, and then copied.
    let spanCount = try Memory.product(2, spanCapacity, for: purpose)
    try Memory.demand(
      try Memory.byteCount(of: spanCount, Timeline.Span.self, for: purpose), for: purpose)
    milliseconds.reserveCapacity(steps)
  }

  /// Of the steps that were only timed; 0 before they are over.
  var medianMilliseconds: Double {
    milliseconds.isEmpty ? 0 : milliseconds.sorted()[milliseconds.count / 2]
  }

  /// Microseconds a step of all spans that have a name, in the order in which they first ended.
  var linesOfNames: [String] {
    var (order, nanoseconds): ([Int], [Int: Int]) = ([], [:])
    for span in spans where span.name >= 0 && span.kind != .step && span.kind != .interval {
      if nanoseconds[span.name] == nil { order.append(span.name) }
      nanoseconds[span.name, default: 0] += span.end - span.begin
    }
    let names = Timeline.names
    return order.map { name in
      let microseconds = Double(nanoseconds[name] ?? 0) / Double(steps) / 1e3
      return "    \(names[name].padding(to: 24)) \(microseconds.fixed(1)) us a step"
    }
  }

  func trainingWillBegin(_ trainer: Trainer) { lastEnd = Timeline.now() }

  func stepDidEnd(_ progress: TrainingProgress) {
    let now = Timeline.now()
    stepsSeen += 1
    if stepsSeen > warmUp && stepsSeen <= warmUp + steps {
      milliseconds.append(Double(now - lastEnd) / 1e6)
    }
    lastEnd = now
    if stepsSeen == warmUp + steps {
      Timeline.start(capacity: spanCapacity, threadCount: WorkTeam.threadCount)
      // The memory for the spans is no part of a step.
      nanosecondsWithParts = -Timeline.now()
    } else if stepsSeen == warmUp + 2 * steps {
      spans = Timeline.stop()
      for kind in Timeline.Kind.allCases where kind.isWork { work[kind] = Timeline.work(kind) }
      nanosecondsWithParts += now
    }
  }
}

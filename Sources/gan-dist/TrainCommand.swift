import ArgumentParser
import GANTraining
import Glibc
import MNISTFamily
import MPI
import MPICollectives
import Matrices
import Pictures
import Runs

/// `gan-dist train`: the walk from the options to the end of the run.
struct TrainCommand: ParsableCommand {
  /// What is taken where an option does not say.
  enum Usual {
    static let keptCheckpoints = 3
    static let epochsBetweenSamples = 20
    static let epochsBetweenEvaluations = 20
    /// In seconds.
    static let stallTimeout = 120.0
  }

  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train G and D (this is what gan-dist does without a subcommand).",
    discussion: """
      Without options this is the notebook's training: 100 epochs, batches of 64, Adam with a learning \
      rate of 1e-4 and beta1 0.5. Start it on as many ranks as the machine has cores:

        mpirun -np 4 gan-dist
        mpirun -np 2 gan-dist --epochs 5 --out runs/try
        mpirun -np 2 gan-dist --resume latest --out runs/try --epochs 10
        gan-dist --max-steps 100                # one rank, without mpirun

      The run's folder gets config.json, metrics.csv (a row an epoch), log.txt, samples/, plots/, \
      checkpoints/, flight-record/ and at the end generator.safetensors. SIGUSR1, SIGTERM, SIGHUP or \
      SIGINT: all ranks stop after the same step, with a checkpoint.

      Exit status: 0 done, 64 bad usage, 65 bad data, 66 missing input, 69 too little memory, \
      70 internal error, 73 cannot write, 75 a rank or host failed (resume), 130 or 143 stopped by a signal.
      """)

  @OptionGroup(title: "Training") var training: TrainingOptions

  @Option(
    help: ArgumentHelp(
      "Folder of four IDX files of the MNIST family, plain or gzipped, as torchvision has them too.",
      discussion: """
        Default: that of the run if one is resumed; else the folder named by $GAN_DIST_DATA, else \
        data/fashion-mnist, else where Debian's package dataset-fashion-mnist puts them.
        """, valueName: "dir"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Folder of the run; it must not hold another run, unless that is resumed.",
      discussion: "Default: runs/ and the date and time.", valueName: "dir"))
  var out: String?

  @Option(
    help: ArgumentHelp(
      "Go on from a checkpoint: the latest of --out, the latest of a run's folder, or a file.",
      valueName: "latest|folder|file"))
  var resume: ResumeSource?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Write a checkpoint every n epochs (0: only at the end).", valueName: "n"),
    transform: NumberOption<Int>.whole("--checkpoint-every", 0...Int.max).parse)
  var checkpointEvery = CheckpointSchedule().epochs

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Write a checkpoint every n steps as well (0: do not).", valueName: "n"),
    transform: NumberOption<Int>.whole("--checkpoint-every-steps", 0...Int.max).parse)
  var checkpointEverySteps = CheckpointSchedule().steps

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Keep the newest n checkpoints.", valueName: "n"),
    transform: NumberOption<Int>.whole("--keep-checkpoints", 1...Int.max).parse)
  var keepCheckpoints = Usual.keptCheckpoints

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Draw a grid of samples every n epochs (0: only before and after training).", valueName: "n"),
    transform: NumberOption<Int>.whole("--sample-every", 0...Int.max).parse)
  var sampleEvery = Usual.epochsBetweenSamples

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Compare G's images with test images every n epochs (0: never; default: 20).",
      discussion: """
        Needs test images beside the training images, and goes to evaluation.csv and into the plot. Runs that end \
        before are not evaluated.
        """, valueName: "n"),
    transform: NumberOption<Int>.whole("--evaluate-every", 0...Int.max).parse)
  var evaluateEvery: Int?

  @OptionGroup var network: NetworkOptions

  @OptionGroup var resources: ResourceOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Seconds that an exchange between ranks may take (0: any time).",
      discussion: """
        After that the ranks that wait say whom they wait for, and the job ends with status 75; at the start it is a \
        second more for each rank. Longer than any \
        rank's work between two exchanges, such as rank 0's on a checkpoint or a plot.
        """, valueName: "s"),
    transform: NumberOption<Double>.decimal(
      "--stall-timeout", "must be from 0 to 1e6 seconds", { (0...1e6).contains($0) }
    ).parse)
  var stallTimeout = Usual.stallTimeout

  @OptionGroup(title: "Tracing") var tracing: TraceOptions

  @Flag(name: .shortAndLong, help: "Say only what goes wrong.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Say more: where each rank runs, what is written.")
  var verbose = false

  func validate() throws {
    if quiet && verbose {
      throw ValidationError("--quiet and --verbose exclude each other: give one of them.")
    }
    if out == "" { throw ValidationError("--out needs the name of a folder.") }
    if resume == .latest && out == nil {
      throw ValidationError("--resume latest needs the folder of the run: --out DIR.")
    }
    if training.override && resume == nil {
      throw ValidationError("--override is for a resumed run: it goes with --resume.")
    }
  }

  func run() throws {
    ResourceDemand.beforeMPI()
    let processor = ProcessorCheck()
    StopSignal.listen()
    let watch = StartReport.watch(patience: stallTimeout)
    let status = MPISession.run(startWatch: watch, explain: FailureReport.explain) {
      try train($0, processor)
    }
    if status != 0 { Glibc.exit(status) }
  }

  /// The run, on every rank; returns the exit status, the same on all.
  ///
  /// First everything is looked at, with nothing touched: a start that is refused leaves the disk
  /// as it was. Whatever a rank refuses, all ranks know at once. Then the run's folder is taken
  /// possession of (``RunDesk``), and then the run begins.
  private func train(_ communicator: Communicator, _ processor: ProcessorCheck) throws -> Int32 {
    let ranks = try resources.start(over: communicator)
    LauncherEnvironment.tell(.running)
    // 1. The folder, and the checkpoint to go on from.
    let plan = try communicator.agreeOnRoot { try RunPlan(out: out, resume: resume) }
    let start = try StartingPoint.share(plan, over: communicator)
    // 2. Settings and processors.
    let settings = try training.settings(
      rankCount: communicator.rankCount, resuming: start?.configuration.settings,
      afterStep: start?.position.step ?? 0)
    try settings.validate(
      instructionSets: try processor.agree(over: communicator, rankNames: ranks.names),
      rankNames: ranks.names)
    // 3. The data.
    let shared = try SharedDataSet(on: ranks.hosts) {
      try communicator.agreeOnRoot {
        if let trace = tracing.trace { try RunFolder.demandWritable(file: trace) }
        return try TrainingData(explicitFolder: data, resuming: start?.configuration)
      }
    }
    let dataSet = shared.training
    try settings.validate(
      imageCount: dataSet.imageCount, pixelsPerImage: dataSet.pixelsPerImage)
    try communicator.agree { try demandDrawable(dataSet, from: shared.source) }
    // 4. How the run goes on.
    let configuration = RunConfiguration(
      settings: settings, architecture: Architecture(imageSize: dataSet.pixelsPerImage),
      imageHeight: dataSet.imageHeight, imageWidth: dataSet.imageWidth,
      dataDigest: dataSet.digest.hex, imageCount: dataSet.imageCount,
      dataFolder: shared.lastingSource.isEmpty ? nil : shared.lastingSource)
    let resumption = try start?.resumption(
      as: configuration, imageCount: dataSet.imageCount, override: training.override)
    // 5. Memory, kernels, exchanges, and the checkpoint's tensors.
    let flight = FlightRecording(over: communicator)
    let watch = try stallWatch(communicator)
    var schedule = CheckpointSchedule()
    (schedule.epochs, schedule.steps) = (checkpointEvery, checkpointEverySteps)
    let collective = try ranks.collective(
      for: settings, dataSet, network.collectives,
      log: ExchangeLog(watch: watch, recorder: flight.recorder))
    let trainer = try Trainer(
      dataSet, settings: settings, schedule: schedule, collective: collective,
      rankNames: ranks.names)
    let (test, testWarnings) = try testImages(trainer, dataSet, shared, ranks)
    if let start, let resumption {
      _ = try communicator.agreeOnRoot { try start.load(into: trainer.state) }
      try start.restore(trainer, resumption, as: configuration, over: communicator)
    }

    // All is well: from here on the disk is written to.
    let desk = try communicator.agreeOnRoot {
      guard let plan else { preconditionFailure("rank 0 without a plan") }
      return try RunDesk(plan, verbosity: verbosity)
    }
    let (flightFolder, flightWarnings) = try flight.keep(in: desk?.folder, over: communicator)
    watch?.flightRecordFolder = flightFolder
    for warning in shared.warnings + testWarnings + collective.warnings + flightWarnings {
      desk?.log.logger.warning("\(warning)")
    }
    let tracer = try tracing.tracer(over: communicator, ranks: ranks, log: desk?.log)
    let evaluation = try test.map {
      try EvaluationDesk(
        trainer, training: dataSet, test: $0, interval: evaluationInterval, desk: desk,
        over: collective, communicator)
    }
    guard let desk else {
      if let evaluation { return try go(trainer, evaluation, tracer, communicator) }
      return try go(trainer, NoObserver(), tracer, communicator)
    }
    let description = RunDescription(
      configuration: configuration, ranks: ranks, dataSet: dataSet, dataSource: shared.source,
      totalSteps: trainer.totalSteps, networkCollectives: network.collectives)
    let reporter = RunReporter(
      desk: desk, description: description, resumption: resumption, sampleEvery: sampleEvery,
      keptCheckpoints: keepCheckpoints, unrememberedOptions: unrememberedOptions,
      evaluations: { evaluation?.records ?? [] })
    let health = HealthReporter(log: desk.log) { evaluation?.records ?? [] }
    let reporters = ObserverPair(
      reporter, ObserverPair(health, PaceReporter(log: desk.log)))
    if let evaluation {
      // First: what it finds is drawn and judged.
      return try go(trainer, ObserverPair(evaluation, reporters), tracer, communicator)
    }
    return try go(trainer, reporters, tracer, communicator)
  }

  private var evaluationInterval: Int { evaluateEvery ?? Usual.epochsBetweenEvaluations }

  /// The test images, if G is to be evaluated, and what the log is to say. Every rank must call this.
  /// - Throws: ``AgreedFailure`` of a `DataSetError` where there are none but G is to be evaluated.
  private func testImages(
    _ trainer: Trainer, _ training: ImageDataSet, _ shared: SharedDataSet, _ ranks: RankDirectory
  ) throws -> (images: ImageDataSet?, warnings: [String]) {
    let interval = evaluationInterval
    let (epochs, rest) = trainer.totalSteps.quotientAndRemainder(
      dividingBy: max(trainer.stepsPerEpoch, 1))
    guard interval > 0, epochs + (rest > 0 ? 1 : 0) >= interval else { return (nil, []) }
    let communicator = ranks.hosts.world
    var warnings: [String] = []
    let test = try communicator.agreeOnRoot { () -> TrainingData? in
      do {
        return try TrainingData.test(in: shared.source, matching: training)
      } catch let error as DataSetError where evaluateEvery == nil && error.kind == .missing {
        warnings.append("G's images are not compared with others: \(error)")
        return nil
      }
    }
    let isThere = try communicator.broadcast(test.flatMap { $0 } == nil ? 0 : 1, from: 0) == 1
    guard isThere else { return (nil, warnings) }
    return (try SharedDataSet(on: ranks.hosts) { test.flatMap { $0 } }.training, warnings)
  }

  /// Trains; the exit status is the same on all ranks. Every rank must call this.
  private func go(
    _ trainer: Trainer, _ observer: some TrainingObserver, _ tracer: StepTracer?,
    _ communicator: Communicator
  ) throws -> Int32 {
    let stopRequested = { StopSignal.number != 0 }
    let ending =
      if let tracer {
        try trainer.run(observer: ObserverPair(tracer, observer), stopRequested: stopRequested)
      } else {
        try trainer.run(observer: observer, stopRequested: stopRequested)
      }
    switch ending {
    case .finished:
      LauncherEnvironment.tell(.finished)
      return ExitStatus.done.rawValue
    case .stopped:
      return StopSignal.exitStatus(of: try communicator.allGather(Int(StopSignal.number)))
    }
  }

  /// Sees whether the run can draw its images, before it trains.
  /// - Throws: `DataSetError`.
  private func demandDrawable(_ dataSet: ImageDataSet, from source: String) throws {
    let (height, width) = (dataSet.imageHeight, dataSet.imageWidth)
    guard SampleGrid.largestSquare(imageHeight: height, imageWidth: width) == 0 else { return }
    throw DataSetError(
      kind: .broken, path: source,
      message: """
        images of \(height) x \(width) pixels are larger than pictures of a run can show: at most \
        \(SampleGrid.sideLimit) pixels a side
        """)
  }

  /// Every rank must call this; nil if nobody is to watch.
  private func stallWatch(_ communicator: Communicator) throws -> StallWatch? {
    // What comes before training and after it is not watched: only exchanges of training are.
    guard stallTimeout > 0, communicator.rankCount > 1 else { return nil }
    return try StallWatch(communicator, timeout: stallTimeout)
  }

  /// The options that a run does not remember, as they were given.
  private var unrememberedOptions: [String] {
    let usual = CheckpointSchedule()
    let numbers: [(option: String, value: String, isUsual: Bool)] = [
      ("--checkpoint-every", "\(checkpointEvery)", checkpointEvery == usual.epochs),
      ("--checkpoint-every-steps", "\(checkpointEverySteps)", checkpointEverySteps == usual.steps),
      ("--keep-checkpoints", "\(keepCheckpoints)", keepCheckpoints == Usual.keptCheckpoints),
      ("--sample-every", "\(sampleEvery)", sampleEvery == Usual.epochsBetweenSamples),
      ("--evaluate-every", "\(evaluateEvery ?? 0)", evaluateEvery == nil),
      ("--stall-timeout", "\(stallTimeout)", stallTimeout == Usual.stallTimeout),
      ("--threads", "\(resources.threads ?? 0)", resources.threads == nil),
      ("--collectives", network.collectives.rawValue, network.collectives == .own),
    ]
    let flags = [("--quiet", quiet), ("--verbose", verbose)]
    return numbers.flatMap { $0.isUsual ? [] : [$0.option, $0.value] }
      + flags.compactMap { $1 ? $0 : nil }
  }

  private var verbosity: RunLog.Verbosity {
    if quiet { return .quiet }
    return verbose ? .verbose : .normal
  }
}

extension ResumeSource: ExpressibleByArgument {}

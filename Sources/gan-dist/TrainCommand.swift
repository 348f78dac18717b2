import ArgumentParser
import FashionMNIST
import GANTraining
import Glibc
import MPI
import MPICollectives
import Matrices

/// `gan-dist train`: the walk from the options to the end of the run.
struct TrainCommand: ParsableCommand {
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
      checkpoints/, flight-record/ and at the end generator.safetensors. SIGUSR1, SIGTERM or SIGINT: all ranks stop after \
      the same step, with a checkpoint.

      Exit status: 0 done, 64 bad usage, 65 bad data, 66 missing input, 70 internal error, \
      73 cannot write, 75 a rank or host failed (resume), 130 or 143 stopped by a signal.
      """)

  @OptionGroup(title: "Training") var training: TrainingOptions

  @Option(
    help: ArgumentHelp(
      "Folder of four IDX files of the MNIST family, plain or gzipped, as torchvision has them too.",
      discussion: """
        Default: the folder named by $GAN_DIST_DATA, else data/fashion-mnist, else where Debian's package \
        dataset-fashion-mnist puts them.
        """, valueName: "dir"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Folder of the run; it must not hold another run, unless that is resumed.",
      discussion: "Default: runs/ and the date and time.", valueName: "dir"))
  var out: String?

  @Option(
    help: ArgumentHelp(
      "Go on from a checkpoint: 'latest' of the folder --out, or a file.",
      valueName: "latest|file"))
  var resume: ResumeSource?

  @Option(
    help: ArgumentHelp(
      "Write a checkpoint every n epochs (0: only at the end).", valueName: "n"))
  var checkpointEvery = CheckpointSchedule().epochs

  @Option(
    help: ArgumentHelp("Write a checkpoint every n steps as well (0: do not).", valueName: "n"))
  var checkpointEverySteps = CheckpointSchedule().steps

  @Option(help: ArgumentHelp("Keep the newest n checkpoints.", valueName: "n"))
  var keepCheckpoints = 3

  @Option(
    help: ArgumentHelp(
      "Draw a grid of samples every n epochs (0: only before and after training).", valueName: "n"))
  var sampleEvery = 20

  @OptionGroup var resources: ResourceOptions

  @Option(
    help: ArgumentHelp(
      "Seconds that an exchange between ranks may take (0: any time).",
      discussion: """
        After that the ranks that wait say whom they wait for, and the job ends with status 75. Longer than any \
        rank's work between two exchanges, such as rank 0's on a checkpoint or a plot.
        """, valueName: "s"))
  var stallTimeout = 120.0

  @OptionGroup(title: "Tracing") var tracing: TraceOptions

  @Flag(name: .shortAndLong, help: "Say only what goes wrong.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Say more: where each rank runs, what is written.")
  var verbose = false

  func validate() throws {
    for (option, value, least) in [
      ("--sample-every", sampleEvery, 0), ("--checkpoint-every", checkpointEvery, 0),
      ("--checkpoint-every-steps", checkpointEverySteps, 0),
      ("--keep-checkpoints", keepCheckpoints, 1),
    ] where value < least {
      throw ValidationError("\(option) must be at least \(least), but is \(value).")
    }
    if !(0...1e6).contains(stallTimeout) {
      throw ValidationError(
        "--stall-timeout must be from 0 to 1e6 seconds, but is \(stallTimeout).")
    }
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
    let (placement, threadCount) = resources.prepare()
    StopSignal.listen()
    let status = MPISession.run(placement: placement, explain: FailureReport.explain) {
      try train($0, placement: placement, threadCount: threadCount)
    }
    if status != 0 { Glibc.exit(status) }
  }

  /// The run, on every rank; returns the exit status, the same on all.
  private func train(
    _ communicator: Communicator, placement: ProcessPlacement, threadCount: Int
  ) throws -> Int32 {
    let ranks = try RankDirectory(communicator, placement: placement, threadCount: threadCount)
    // What can fail on rank 0 alone fails before the other ranks have anything to do.
    let desk = communicator.rank == 0 ? try openDesk() : nil
    let start = try StartingPoint.agree(over: communicator) { try findCheckpoint(desk) }
    let settings = try training.settings(
      rankCount: communicator.rankCount, resuming: start?.configuration.settings)
    try settings.validate(
      instructionSets: try communicator.allGather(XSMM.instructionSet), rankNames: ranks.names)
    let shared = try SharedDataSet(explicitFolder: data, over: communicator)
    let dataSet = shared.training
    let flight = try FlightRecording(desk?.folder, over: communicator)
    for warning in shared.warnings + flight.warnings { desk?.log.logger.warning("\(warning)") }

    var schedule = CheckpointSchedule()
    (schedule.epochs, schedule.steps) = (checkpointEvery, checkpointEverySteps)
    let trainer = try Trainer(
      dataSet, settings: settings, schedule: schedule,
      collective: flight.recorded(try collective(communicator, flight)),
      rankNames: ranks.names)
    let configuration = RunConfiguration(
      settings: settings, architecture: trainer.state.architecture,
      imageHeight: dataSet.imageHeight, imageWidth: dataSet.imageWidth,
      dataDigest: dataSet.digest?.hex ?? "")
    if let start {
      try start.demandSameData(as: configuration, unless: training.override)
      try start.restore(trainer, imageCount: dataSet.imageCount, over: communicator)
    }

    let tracer = try StepTracer(tracing, over: communicator, ranks: ranks, log: desk?.log)
    guard let desk else { return try go(trainer, NoObserver(), tracer, communicator) }
    let description = RunDescription(
      configuration: configuration, ranks: ranks, dataSet: dataSet, dataSource: shared.source)
    try desk.folder.write(description.json, to: "config.json")
    let reporter = try RunReporter(
      desk: desk, description: description, sampleEvery: sampleEvery, history: trainer.history)
    return try go(trainer, reporter, tracer, communicator)
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
    case .finished: return ExitStatus.done.rawValue
    case .stopped:
      return StopSignal.exitStatus(of: try communicator.allGather(Int(StopSignal.number)))
    }
  }

  private func openDesk() throws -> RunDesk {
    let path = out ?? resume?.runFolder ?? RunFolder.defaultPath()
    // Another run's checkpoint begins a new run, in a folder of its own.
    let goesOnHere =
      resume == .latest || resume?.runFolder.map { RunFolder.isSame($0, path) } == true
    let folder = try RunFolder(path: path, resuming: goesOnHere)
    if let trace = tracing.trace { try StepTracer.demandWritable(trace) }
    let log = try RunLog(folder: folder, verbosity: verbosity)
    return RunDesk(
      folder: folder, log: log,
      checkpoints: CheckpointFolder(path: folder.file("checkpoints"), kept: keepCheckpoints))
  }

  /// The checkpoint to go on from; nil to begin at the beginning.
  private func findCheckpoint(_ desk: RunDesk?) throws -> Checkpoint? {
    guard let desk, let resume else { return nil }
    let checkpoint: Checkpoint?
    switch resume {
    case .file(let path): checkpoint = try Checkpoint(path: path)
    case .latest:
      checkpoint = try desk.checkpoints.newestWhole { desk.log.logger.warning("\($0)") }
      if checkpoint == nil {
        desk.log.logger.warning(
          "\(desk.folder.path) has no checkpoint to go on from: the run begins at its beginning")
      }
    }
    if let checkpoint {
      for file in try desk.checkpoints.setAside(after: checkpoint.position.step) {
        desk.log.logger.warning("the run goes on from before it, so it is set aside: \(file)")
      }
    }
    return checkpoint
  }

  /// Every rank must call this.
  private func collective(
    _ communicator: Communicator, _ flight: FlightRecording
  ) throws -> MPICollective {
    // What comes before training and after it is not watched: only exchanges of training are.
    guard stallTimeout > 0, communicator.rankCount > 1 else {
      return try MPICollective(communicator, mayShareReplicas: resources.shardOptimizer)
    }
    return try MPICollective(
      communicator,
      watch: try StallWatch(
        communicator, timeout: stallTimeout, flightRecordFolder: flight.folder),
      mayShareReplicas: resources.shardOptimizer)
  }

  private var verbosity: RunLog.Verbosity {
    if quiet { return .quiet }
    return verbose ? .verbose : .normal
  }
}

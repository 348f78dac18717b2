import ArgumentParser
import FashionMNIST
import GANTraining
import Glibc
import MPI
import MPICollectives
import Matrices

/// `gan-dist train`: options, their checks, and the walk from MPI's start to the end of the run.
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train G and D (this is what gan-dist does without a subcommand).",
    discussion: """
      Without options this is the notebook's training: 100 epochs, batches of 64, Adam with a learning \
      rate of 1e-4 and beta1 0.5. Start it on as many ranks as the machine has cores:

        mpirun -np 4 gan-dist
        mpirun -np 2 gan-dist --epochs 5 --out runs/try
        gan-dist --max-steps 100                # one rank, without mpirun

      The run's folder gets config.json, metrics.csv (a row an epoch), log.txt, samples/ and plots/.

      Exit status: 0 done, 64 bad usage, 65 bad data, 66 missing input, 70 internal error, \
      73 cannot write, 75 a rank or host failed.
      """)

  @Option(
    help: ArgumentHelp(
      "Folder of four IDX files of the MNIST family, plain or gzipped.",
      discussion: """
        Default: the folder named by $GAN_DIST_DATA, else data/fashion-mnist, else where Debian's package \
        dataset-fashion-mnist puts them.
        """, valueName: "dir"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Folder of the run; it must not hold another run.",
      discussion: "Default: runs/ and the date and time.", valueName: "dir"))
  var out: String?

  @Option(help: ArgumentHelp("Passes over the data set.", valueName: "n"))
  var epochs = TrainingSettings().epochs

  @Option(help: ArgumentHelp("Stop after this many steps, even within an epoch.", valueName: "n"))
  var maxSteps: Int?

  @Option(
    help: ArgumentHelp("Images a step, over all ranks together (default: 64).", valueName: "n"))
  var batchSize: Int?

  @Option(
    help: ArgumentHelp(
      "Images a step and rank: the batch grows with the ranks. Instead of --batch-size.",
      valueName: "n"))
  var batchSizePerRank: Int?

  @Option(help: ArgumentHelp("Adam's learning rate.", valueName: "x"))
  var learningRate = TrainingSettings().adam.learningRate

  @Option(help: ArgumentHelp("Adam's decay of the first moment.", valueName: "x"))
  var beta1 = TrainingSettings().adam.beta1

  @Option(help: ArgumentHelp("Adam's decay of the second moment.", valueName: "x"))
  var beta2 = TrainingSettings().adam.beta2

  @Option(
    help: ArgumentHelp("D learns that real images are real with 1 minus this.", valueName: "x"))
  var labelSmoothing = TrainingSettings().labelSmoothing

  @Option(help: ArgumentHelp("Probability that a unit of D is dropped.", valueName: "x"))
  var dropout = TrainingSettings().dropout

  @Option(help: ArgumentHelp("Determines every random number of the run.", valueName: "n"))
  var seed = TrainingSettings().seed

  @Option(
    help: ArgumentHelp(
      "Draw a grid of samples every n epochs (0: only before and after training).", valueName: "n"))
  var sampleEvery = 20

  @Option(
    help: ArgumentHelp(
      "Threads of a rank (default: its share of the processors).", valueName: "n"))
  var threads: Int?

  @Flag(name: .shortAndLong, help: "Say only what goes wrong.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Say more: where each rank runs, what is written.")
  var verbose = false

  /// The settings of the options, for a number of ranks.
  func settings(rankCount: Int) throws -> TrainingSettings {
    var settings = TrainingSettings()
    settings.epochs = epochs
    settings.maximumSteps = maxSteps
    settings.adam.learningRate = learningRate
    settings.adam.beta1 = beta1
    settings.adam.beta2 = beta2
    settings.labelSmoothing = labelSmoothing
    settings.dropout = dropout
    settings.seed = seed
    if let batchSize { settings.globalBatchSize = batchSize }
    if let batchSizePerRank {
      let (product, overflow) = batchSizePerRank.multipliedReportingOverflow(by: rankCount)
      guard !overflow else {
        throw TrainingSettings.Invalid(
          setting: "--batch-size-per-rank", reason: "\(batchSizePerRank) is too many")
      }
      settings.globalBatchSize = product
    }
    try settings.validate()
    return settings
  }

  func validate() throws {
    if batchSize != nil && batchSizePerRank != nil {
      throw ValidationError(
        "--batch-size and --batch-size-per-rank exclude each other: give one of them.")
    }
    if let batchSizePerRank, batchSizePerRank < 1 {
      throw ValidationError("--batch-size-per-rank must be at least 1, but is \(batchSizePerRank).")
    }
    if sampleEvery < 0 {
      throw ValidationError("--sample-every must not be negative, but is \(sampleEvery).")
    }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be from 1 to 1024, but is \(threads).")
    }
    if quiet && verbose {
      throw ValidationError("--quiet and --verbose exclude each other: give one of them.")
    }
    if out == "" { throw ValidationError("--out needs the name of a folder.") }
    do {
      // A lone rank may have too small a share where many ranks together have enough: two stand for many.
      _ = try settings(rankCount: 2)
    } catch let error as TrainingSettings.Invalid {
      throw ValidationError("\(error).")
    }
  }

  func run() throws {
    let placement = ProcessPlacement(usableProcessors: OneDNN.usableProcessors)
    let threadCount = threads ?? placement.threadCount
    OneDNN.setThreadCount(threadCount)
    StopSignal.listen()
    let status = MPISession.run(placement: placement, explain: FailureReport.explain) {
      try train($0, placement: placement, threadCount: threadCount)
    }
    if status != 0 { Glibc.exit(status) }
  }

  private func train(
    _ communicator: Communicator, placement: ProcessPlacement, threadCount: Int
  ) throws -> Int32 {
    let settings = try settings(rankCount: communicator.rankCount)
    let ranks = try RankDirectory(communicator, placement: placement, threadCount: threadCount)
    let isRoot = communicator.rank == 0
    // What can fail on rank 0 alone fails before the other ranks have anything to do.
    let run = isRoot ? try RunFolder(path: out ?? RunFolder.defaultPath()) : nil
    let log = try run.map { try RunLog(folder: $0, verbosity: verbosity) }
    let (dataSet, source) = try SharedDataSet.load(explicitFolder: data, over: communicator)
    let trainer = try Trainer(
      dataSet, settings: settings, collective: MPICollective(communicator),
      rankNames: ranks.names)
    guard let run, let log else {
      return try go(trainer, NoObserver(), communicator)
    }

    let description = RunDescription(
      settings: settings, ranks: ranks, dataSet: dataSet, dataSource: source,
      architecture: trainer.state.architecture)
    try run.write(description.json, to: "config.json")
    let reporter = try RunReporter(
      folder: run, log: log, description: description, imageHeight: dataSet.imageHeight,
      imageWidth: dataSet.imageWidth, sampleEvery: sampleEvery)
    return try go(trainer, reporter, communicator)
  }

  /// Trains; the exit status is the same on all ranks. Every rank must call this.
  private func go(
    _ trainer: Trainer, _ observer: some TrainingObserver, _ communicator: Communicator
  ) throws -> Int32 {
    let ending = try trainer.run(observer: observer) { StopSignal.number != 0 }
    switch ending {
    case .finished: return ExitStatus.done.rawValue
    case .stopped:
      return StopSignal.exitStatus(of: try communicator.allGather(Int(StopSignal.number)))
    }
  }

  private var verbosity: RunLog.Verbosity {
    if quiet { return .quiet }
    return verbose ? .verbose : .normal
  }
}

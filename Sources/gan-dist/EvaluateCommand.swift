import ArgumentParser
import GANTraining
import Glibc
import Judge
import MNISTFamily
import MPI
import MPICollectives
import Pictures
import Runs
import TensorFiles

/// `gan-dist evaluate`: how good the images of a G are.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Tell how good the images of a trained G are.",
    discussion: """
      Compares images that G makes with test images and with training images, by the features of a classifier of the \
      same data: the judge. It is trained on first use, in seconds, and kept in the user's cache. Beside each figure \
      stands the floor: what training images reach against test images. One rank or many give the same bits.

        gan-dist evaluate runs/try
        mpirun -np 2 gan-dist evaluate runs/try/generator.safetensors --json

      The page "How good are the images?" teaches what the figures mean, and what they hide.
      """)

  @Argument(
    help: ArgumentHelp(
      "A run's folder (its newest checkpoint is taken), a checkpoint or a generator.safetensors.",
      valueName: "run|file"))
  var source: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How many images to make, and to compare with.", valueName: "n"),
    transform: NumberOption<Int>.whole("--count", Evaluator.leastCount...1_000_000).parse)
  var count = 10_000

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Determines the noise.", valueName: "n"),
    transform: NumberOption<UInt64>.whole("--seed", 0...UInt64.max).parse)
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp(
      "Folder of the data, with test images (default: the run's, else as for training).",
      valueName: "dir"))
  var data: String?

  @Flag(help: "Print one JSON object, with all digits.")
  var json = false

  @Option(
    help: ArgumentHelp(
      "Write the features [n, 128] of the generated images, for other programs to compare.",
      discussion: """
        Beside FILE.npy there are then FILE-logits.npy, FILE-test.npy (test images), FILE-test-logits.npy and \
        FILE-training.npy (all training images).
        """, valueName: "file.npy"))
  var features: String?

  @Option(
    help: ArgumentHelp(
      "Draw the generated images that are nearest to a training image, each beside it.",
      valueName: "file.png"))
  var closest: String?

  @OptionGroup var resources: ResourceOptions

  func validate() throws {
    if let features, !features.hasSuffix(".npy") {
      throw ValidationError("--features must end in .npy, but is '\(features)'.")
    }
    if let closest, !closest.hasSuffix(".png") {
      throw ValidationError("--closest must end in .png, but is '\(closest)'.")
    }
  }

  private static let pairCount = 16

  func run() throws {
    ResourceDemand.beforeMPI()
    let processor = ProcessorCheck()
    let watch = StartReport.watch(patience: TrainCommand.Usual.stallTimeout)
    let status = MPISession.run(startWatch: watch, explain: FailureReport.explain) {
      try evaluate($0, processor)
    }
    if status != 0 { Glibc.exit(status) }
  }

  /// Every rank runs this; the exit status is the same on all.
  private func evaluate(_ communicator: Communicator, _ processor: ProcessorCheck) throws -> Int32 {
    let ranks = try resources.start(over: communicator)
    _ = try processor.agree(over: communicator, rankNames: ranks.names)
    let found = try communicator.agreeOnRoot {
      let found = try EvaluatedGenerator(path: source)
      // What cannot be written is not computed first.
      for file in featureFiles + [closest].compactMap({ $0 }) {
        try RunFolder.demandWritable(file: file)
      }
      return found
    }
    let generator = try share(found, over: communicator)
    let (training, test) = try readData(found, generator, ranks)
    let collective = try MPICollective(
      ranks.hosts, threadsOfRank: ranks.threadsOfRank, processorsOfRank: ranks.processorsOfRank,
      sharedByteCount: 64 << 20)
    let cache = try JudgeCache(of: training, over: collective, communicator) {
      Console.error.say("gan-dist: \($0)\n")
    }
    for note in cache.notes { Console.error.say("gan-dist: \(note)\n") }
    let evaluator = try Evaluator(
      cache.judge, training: training, test: test, count: count, findsCopies: true,
      over: collective)
    let images = try generator.generatedImages(count: count, seed: seed, over: collective)
    try images.make { pixels in
      let result = try evaluator.evaluate(pixels, closestCount: Self.pairCount)
      _ = try communicator.agreeOnRoot {
        try write(result.evaluation, evaluator, result.images)
        try draw(result.evaluation, pixels, training)
        try report(result.evaluation, found, cache.judge, training)
      }
    }
    return ExitStatus.done.rawValue
  }

  /// Gives the file that rank 0 has read to all ranks. Every rank must call this.
  private func share(
    _ found: EvaluatedGenerator?, over communicator: Communicator
  ) throws -> GeneratorFile {
    var bytes = found?.bytes ?? []
    let path = try communicator.broadcast(found?.path ?? "", from: 0)
    let count = try communicator.broadcast(bytes.count, from: 0)
    if found == nil { bytes = [UInt8](repeating: 0, count: count) }
    try bytes.withUnsafeMutableBufferPointer { try communicator.broadcast($0, from: 0) }
    return try communicator.agree { try EvaluatedGenerator.generator(bytes, path: path) }
  }

  /// Every rank must call this.
  private func readData(
    _ found: EvaluatedGenerator?, _ generator: GeneratorFile, _ ranks: RankDirectory
  ) throws -> (training: ImageDataSet, test: ImageDataSet) {
    let communicator = ranks.hosts.world
    let read = try communicator.agreeOnRoot {
      let training = try TrainingData(explicitFolder: data, resuming: found?.configuration)
      let set = training.set
      guard set.pixelsPerImage == generator.architecture.imageSize else {
        throw JudgeError.imageSize(
          path: found?.path ?? source,
          found: "\(generator.imageHeight) x \(generator.imageWidth) pixels",
          expected:
            "\(set.imageHeight) x \(set.imageWidth) (\(training.folder)); name others with --data")
      }
      return (training: training, test: try training.test())
    }
    return (
      try SharedDataSet(on: ranks.hosts) { read?.training }.training,
      try SharedDataSet(on: ranks.hosts) { read?.test }.training
    )
  }

  private func featureFile(_ part: String) -> String? {
    features.map { $0.dropLast(".npy".count) + part + ".npy" }
  }

  private var featureFiles: [String] {
    ["", "-logits", "-test", "-test-logits", "-training"].compactMap(featureFile)
  }

  /// - Throws: `TensorFileError`.
  private func write(
    _ evaluation: ImageEvaluation, _ evaluator: Evaluator, _ images: JudgedImages
  ) throws {
    func write(_ values: [Float], _ columns: Int, _ part: String) throws {
      guard let path = featureFile(part) else { return }
      try NPYFile.write(values, rows: values.count / columns, columns: columns, to: path)
    }
    let (size, classes) = (images.features.size, evaluator.judge.classCount)
    try write(images.features.values, size, "")
    try write(images.logits, classes, "-logits")
    try write(evaluator.testImages.features.values, size, "-test")
    try write(evaluator.testImages.logits, classes, "-test-logits")
    if let training = evaluator.trainingFeatures { try write(training.values, size, "-training") }
  }

  /// - Throws: `PictureError`.
  private func draw(
    _ evaluation: ImageEvaluation, _ pixels: UnsafeBufferPointer<UInt8>, _ training: ImageDataSet
  ) throws {
    guard let closest, let copying = evaluation.copying else { return }
    let size = training.pixelsPerImage
    var images: [Float] = []
    func add(_ image: Int, of pixels: UnsafeBufferPointer<UInt8>) {
      images += pixels[image * size..<(image + 1) * size].map { Float($0) / 127.5 - 1 }
    }
    for pair in copying.closest {
      add(pair.generated, of: pixels)
      training.withUnsafePixels { add(pair.training, of: $0) }
    }
    // Four pairs a row.
    try SampleGrid(
      imageHeight: training.imageHeight, imageWidth: training.imageWidth, columns: 8
    ).write(images, to: closest)
  }

  private func report(
    _ evaluation: ImageEvaluation, _ found: EvaluatedGenerator?, _ judge: Judge,
    _ training: ImageDataSet
  ) throws {
    let report = EvaluationReport(
      evaluation, file: found?.path ?? source, seed: seed, judge: judge.digest.hex,
      classNames: training.classNames)
    try Console.deliver(json ? report.json() : report.text)
  }
}

import Collectives
import MNISTFamily
import Matrices
import NeuralNetwork
import Randomness

/// How the judge learns to tell the classes of a data set. Nothing here can be set: everybody's judge is the same.
final class ClassifierTraining {
  static let epochs = 8
  static let batchSize = 128
  static let adam = Adam.Settings(learningRate: 1e-3, beta1: 0.9)
  static let seed: UInt64 = 0
  /// The streams of the judge's random numbers.
  private enum Stream {
    static let weights: UInt32 = 0x50
    static let shuffle: UInt32 = 0x51
  }

  let parameters: ParameterArena
  private let dataSet: ImageDataSet
  private let random = RandomSource(seed: ClassifierTraining.seed)
  private let batch: DistributedBatch
  private let adam: Adam
  private let start: any Exchange
  private let pass, update: [Program.Stage]
  /// What the instructions work on.
  private let classifier: Classifier
  /// Where sums travel between hosts.
  private let gradientSums: [GradientSum]
  private let workspace = Workspace()
  private let order: UnsafeMutableBufferPointer<Int32>
  private let firstImage: UnsafeMutablePointer<Int>

  /// Plans a step. Every rank must call this.
  /// - Throws: `KernelError`, `MemoryError`, or what the collective throws.
  init(
    _ layout: Classifier.Parameters, _ dataSet: ImageDataSet, over collective: any Collective
  ) throws {
    self.dataSet = dataSet
    let size = min(Self.batchSize, dataSet.imageCount)
    let batch = DistributedBatch(globalBatchSize: size, collective: collective)
    self.batch = batch
    parameters = try ParameterArena(layout.layout, over: collective)
    let adam = try Adam(parameters, settings: Self.adam, over: collective)
    self.adam = adam
    if collective.topology.isLeader {
      for (index, linear) in layout.linears.enumerated() {
        linear.initialize(
          parameters, from: random, stream: Stream.weights, layerIndex: index)
      }
    }
    start = try collective.makeBarrier(name: "judge.start")
    let images = try Signal(
      value: batch.matrix(rows: size, columns: dataSet.pixelsPerImage), gradient: nil,
      differentiablePasses: 1, of: batch)
    let classifier = try Classifier(
      layout, weights: ProductWeights(parameters), images: images, isTrained: true, batch: batch)
    self.classifier = classifier
    order = try workspace.zeros(count: dataSet.imageCount)
    firstImage = try workspace.zeros(of: Int.self, count: 1).baseAddress!
    let labels = try workspace.zeros(of: UInt8.self, count: size).baseAddress!
    let losses = try workspace.zeros(of: Double.self, count: size).baseAddress!

    let program = Program(batch)
    try program.everyWorker { [order, firstImage] rows, list in
      guard !rows.isEmpty else { return }
      Self.load(
        dataSet, rows, order: order, firstImage: firstImage, into: images.value(rows, ofPass: 0),
        labels: labels, in: list)
      try classifier.forward(rows, in: list)
      list.softmaxCrossEntropy(
        classifier.logits, rows, labels: labels, losses: losses, batchSize: size)
      try classifier.backward(rows, in: list)
    }
    let route = GradientRoute(classifier.linears, of: batch)
    for linear in classifier.linears.reversed() {
      try program.depart(
        linear.travellingInput(route) + linear.travellingGradient(route), for: linear)
    }
    try program.meet("judge.rows", finishing: program.rows(forLastOf: classifier.linears))
    pass = program.finish()

    gradientSums = try program.update(classifier.linears, by: adam, route, name: "judge")
    try program.meet("judge.update")
    update = program.finish()
  }

  private struct Loading: BitwiseCopyable {
    let pixels, allLabels: UnsafePointer<UInt8>
    let order: UnsafePointer<Int32>
    let firstImage: UnsafePointer<Int>
    let row: Int
    let images: Matrix
    let labels: UnsafeMutablePointer<UInt8>
  }

  /// Plans how a worker loads its rows' images, as numbers in [-1, 1], and their labels.
  private static func load(
    _ dataSet: ImageDataSet, _ rows: Range<Int>, order: UnsafeMutableBufferPointer<Int32>,
    firstImage: UnsafeMutablePointer<Int>, into images: Matrix,
    labels: UnsafeMutablePointer<UInt8>, in list: InstructionList
  ) {
    // The set's memory stays where it is.
    guard let pixels = dataSet.withUnsafePixels({ $0.baseAddress }),
      let allLabels = dataSet.withUnsafeLabels({ $0.baseAddress }), let order = order.baseAddress
    else { return }
    let loading = Loading(
      pixels: pixels, allLabels: allLabels, order: order, firstImage: firstImage,
      row: rows.lowerBound, images: images, labels: labels + rows.lowerBound)
    list.append(.elementwise, loading) { operands, _ in
      let it = operands.assumingMemoryBound(to: Loading.self).pointee
      let size = it.images.columns
      for row in 0..<it.images.rows {
        let image = Int(it.order[it.firstImage.pointee + it.row + row])
        VectorMath.pixelsToFloats(
          UnsafeBufferPointer(start: it.pixels + image * size, count: size),
          into: it.images.rows(row..<row + 1))
        it.labels[row] = it.allLabels[image]
      }
    }
  }

  /// Trains to the end; the learning rate falls in a straight line to 0. Every rank must call this.
  /// - Throws: ``JudgeError`` if a gradient is not finite; or what the collective throws.
  func run() throws {
    try start.run()
    let stepsPerEpoch = dataSet.imageCount / batch.rows
    let total = Self.epochs * stepsPerEpoch
    for step in 0..<total {
      let (epoch, place) = step.quotientAndRemainder(dividingBy: stepsPerEpoch)
      if place == 0 { random.permute(order, stream: Stream.shuffle, epoch: epoch) }
      firstImage.pointee = place * batch.rows
      adam.beginStep(rateFactor: 1 - Double(step) / Double(total))
      _ = try pass.run(step: step)
      guard try update.run(step: step, vote: { adam.isFinite }) else { throw JudgeError.notFinite }
    }
  }
}

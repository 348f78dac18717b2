import Matrices
import NeuralNetwork
import Randomness

/// D: images `[rows, pixels]` to logits `[rows, 1]`; the sigmoid of a logit is the probability "real".
///
/// `Linear → LeakyReLU → Dropout`, twice, then `Linear`. An instance is planned for a number of rows; several
/// instances share one set of parameters.
public final class Discriminator {
  /// D's tensors by the names of the notebook's `nn.Sequential`: `0.weight`, `0.bias`, `3.weight` …
  public struct Parameters: Sendable {
    public let layout: ParameterLayout
    let linears: [Linear.Parameters]

    public init(_ architecture: Architecture) {
      var layout = ParameterLayout()
      let sizes = [architecture.imageSize] + architecture.discriminatorHiddenSizes + [1]
      linears = zip(sizes, sizes.dropFirst()).enumerated().map { index, size in
        // Linear, LeakyReLU and Dropout count one each.
        Linear.Parameters("\(3 * index)", inputSize: size.0, outputSize: size.1, in: &layout)
      }
      self.layout = layout
    }

    /// Draws the initial weights; the same on every rank.
    public func initialize(_ state: NetworkState, from random: RandomSource) {
      for (index, linear) in linears.enumerated() {
        linear.initialize(
          state.parameters, from: random, stream: RandomStream.discriminatorWeights,
          layerIndex: index)
      }
    }
  }

  /// `[passes * B, 1]`; its gradient is what ``backward(_:in:)`` starts from.
  public let logits: Signal
  /// Behind all but the last layer there is dropout.
  public let linears: [Linear]
  /// Of each thread of this rank, of each hidden layer.
  private let dropouts: [[Dropout]]
  private let workspace = Workspace()

  /// Every rank must make the network.
  /// - Parameters:
  ///   - weights: the parameters as products read them.
  ///   - images: `[passes * B, pixels]`; where it has a gradient, ``backward(_:in:)`` writes dLoss/dimages.
  ///   - dropout: the probability that a unit is dropped.
  ///   - isTrained: whether the network's gradients are wanted; else only those of the images are.
  ///   - name: what the passes are called in a trace.
  /// - Throws: `MemoryError`, or what the collective throws.
  public init(
    _ parameters: Parameters, _ architecture: Architecture, weights: ProductWeights,
    images: Signal, dropout probability: Double, isTrained: Bool, batch: DistributedBatch,
    name: String = "D"
  ) throws {
    let passes = images.passes
    var (signal, linears): (Signal, [Linear]) = (images, [])
    for (index, linearParameters) in parameters.linears.enumerated() {
      let isLast = index + 1 == parameters.linears.count
      let output = try Signal(
        features: linearParameters.outputSize, passes: passes,
        differentiablePasses: images.differentiablePasses,
        precision: isTrained ? weights.precision : .float32, of: batch)
      linears.append(
        Linear(
          linearParameters, weights: weights, input: signal, output: output,
          activation: isLast ? .identity : .leakyReLU(slope: architecture.leakyReLUSlope),
          isTrained: isTrained, batch: batch, name: "\(name).\(3 * index)"))
      signal = output
    }
    self.linears = linears
    logits = signal
    dropouts = try batch.placement.rowsOfThreads.map { [workspace] rows in
      try linears.dropLast().map {
        try Dropout(
          features: $0.parameters.outputSize, passes: passes, rows: rows, probability: probability,
          in: workspace)
      }
    }
  }

  /// Draws the dropout masks of a pass; `stream` is the first layer's, the next layers' follow.
  public func drawMasks(
    pass: Int = 0, from random: RandomSource, stream: UInt32, in list: InstructionList
  ) {
    for (index, dropout) in dropouts[list.thread].enumerated() {
      dropout.draw(pass: pass, from: random, stream: stream + UInt32(index), in: list)
    }
  }

  /// logits = D(images) for a worker's rows, without dropout: inference.
  /// - Throws: `KernelError`, `MemoryError`.
  public func forward(_ rows: Range<Int>, in list: InstructionList) throws {
    for linear in linears { try linear.forward(rows, in: list) }
  }

  /// logits = D(images) with dropout, for all workers; the masks must have been drawn. The layers' inputs depart as
  /// soon as they are there. Every rank must call this.
  /// - Parameters:
  ///   - route: of D's gradients; nil if they are not wanted.
  ///   - passesOfImages: those of D's input that depart; other hosts have the others.
  /// - Throws: `KernelError`, `MemoryError`, or what the collective throws.
  public func forward(
    in program: Program, _ route: GradientRoute?, passesOfImages: Range<Int>? = nil
  ) throws {
    for (index, linear) in linears.enumerated() {
      try program.everyWorker { rows, list in
        try linear.forward(rows, in: list)
        if index + 1 < linears.count {
          dropouts[list.thread][index].forward(linear.output, in: list)
        }
      }
      if let route {
        try program.depart(
          linear.travellingInput(passes: index == 0 ? passesOfImages : nil, route), for: linear)
      }
    }
  }

  /// The gradients of all rows, from dLoss/dlogits; those of outputs depart as soon as they are there. Every rank must
  /// call this.
  /// - Parameter route: of D's gradients; nil if they are not wanted.
  /// - Throws: `KernelError`, `MemoryError`, or what the collective throws.
  public func backward(in program: Program, _ route: GradientRoute?) throws {
    for (index, linear) in linears.enumerated().reversed() {
      try program.everyWorker { rows, list in
        if index + 1 < linears.count {
          dropouts[list.thread][index].backward(linear.output, in: list)
        }
        try linear.backward(rows, in: list)
      }
      if let route { try program.depart(linear.travellingGradient(route), for: linear) }
    }
  }
}

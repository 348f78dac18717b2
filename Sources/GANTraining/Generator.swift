import Matrices
import NeuralNetwork
import Randomness

/// G: noise `[rows, 64]` to images `[rows, pixels]` in [-1, 1].
///
/// `Linear → BatchNorm → LeakyReLU`, three times, then `Linear → tanh`. An instance is planned for a number of
/// rows; several instances share one set of parameters.
public final class Generator {
  /// G's tensors by the names of the notebook's `nn.Sequential`: `0.weight`, `0.bias`, `1.weight` …
  public struct Parameters: Sendable {
    public let layout: ParameterLayout
    public let bufferLayout: ParameterLayout
    let linears: [Linear.Parameters]
    let norms: [BatchNorm.Parameters]

    public init(_ architecture: Architecture) {
      var (layout, bufferLayout) = (ParameterLayout(), ParameterLayout())
      var (linears, norms): ([Linear.Parameters], [BatchNorm.Parameters]) = ([], [])
      let sizes =
        [architecture.noiseSize] + architecture.generatorHiddenSizes + [architecture.imageSize]
      for (index, (inputSize, outputSize)) in zip(sizes, sizes.dropFirst()).enumerated() {
        let place = 3 * index  // Linear, BatchNorm and LeakyReLU count one each.
        linears.append(
          Linear.Parameters(
            "\(place)", inputSize: inputSize, outputSize: outputSize, in: &layout))
        if index < architecture.generatorHiddenSizes.count {
          norms.append(
            BatchNorm.Parameters(
              "\(place + 1)", size: outputSize, in: &layout, buffers: &bufferLayout))
        }
      }
      (self.layout, self.bufferLayout) = (layout, bufferLayout)
      (self.linears, self.norms) = (linears, norms)
    }

    /// Draws the initial weights; the same on every rank.
    public func initialize(_ state: NetworkState, from random: RandomSource) {
      for (index, linear) in linears.enumerated() {
        linear.initialize(
          state.parameters, from: random, stream: RandomStream.generatorWeights, layerIndex: index)
      }
      for norm in norms { norm.initialize(state.parameters) }
    }

    /// Running statistics before the first step.
    public func initializeBuffers(_ state: NetworkState) {
      for norm in norms { norm.initializeBuffers(state.buffers) }
    }
  }

  /// `[passes * B, noiseSize]`, to be filled before the images are made.
  public let noise: Signal
  /// `[passes * B, pixels]`; its gradient, where there is one, is what ``backward(in:)`` starts from.
  public let images: Signal
  /// Each but the last is followed by one of ``norms``.
  public let linears: [Linear]
  public let norms: [BatchNorm]

  /// Every rank must make the network.
  /// - Parameters:
  ///   - weights: the parameters as products read them.
  ///   - images: where the images are written. Their gradient may be of the last pass only: then the layers' are, too.
  /// - Throws: what the collective throws.
  public init(
    _ parameters: Parameters, _ architecture: Architecture, state: NetworkState,
    weights: ProductWeights, images: Signal, batch: DistributedBatch
  ) throws {
    self.images = images
    let (passes, differentiablePasses) = (images.passes, images.differentiablePasses)
    let isTrained = differentiablePasses > 0
    noise = try Signal(
      value: try batch.matrix(rows: passes * batch.rows, columns: architecture.noiseSize),
      passes: passes, gradient: nil, differentiablePasses: differentiablePasses,
      precision: weights.precision, of: batch)
    var (signal, linears, norms): (Signal, [Linear], [BatchNorm]) = (noise, [], [])
    for (index, linear) in parameters.linears.enumerated() {
      let isLast = index == parameters.norms.count
      let output =
        isLast
        ? images
        : try Signal(
          features: linear.outputSize, passes: passes, differentiablePasses: differentiablePasses,
          precision: weights.precision, of: batch)
      linears.append(
        Linear(
          linear, weights: weights, input: signal, output: output,
          activation: isLast ? .tanh : .identity, isTrained: isTrained, batch: batch,
          name: "G.\(3 * index)"))
      guard !isLast else { break }
      let norm = try BatchNorm(
        parameters.norms[index], values: state.parameters, buffers: state.buffers, input: output,
        precision: weights.precision, slope: architecture.leakyReLUSlope, batch: batch,
        name: Self.normName(index))
      norms.append(norm)
      signal = norm.output
    }
    (self.linears, self.norms) = (linears, norms)
  }

  private static func normName(_ index: Int) -> String { "G.\(3 * index + 1)" }

  /// images = G(noise), each pass normalised by its own statistics over all ranks' rows. Every rank must call this.
  /// - Throws: `KernelError`, `MemoryError`, or what the collective throws.
  public func forward(in program: Program) throws {
    for (index, norm) in norms.enumerated() {
      try program.everyWorker { rows, list in
        try linears[index].forward(rows, in: list)
        norm.addUpInput(rows, in: list)
      }
      try program.meet(
        "\(Self.normName(index)).forward", finishing: [], inside: [norm.inputMoments])
      try program.everyWorker { try norm.forward($0, in: $1) }
    }
    try program.everyWorker { try linears[norms.count].forward($0, in: $1) }
  }

  /// images = G(noise), normalised by the running statistics: inference, for a worker's rows.
  /// - Throws: `KernelError`, `MemoryError`.
  public func forwardByRunningStatistics(_ rows: Range<Int>, in list: InstructionList) throws {
    for (index, linear) in linears.enumerated() {
      try linear.forward(rows, in: list)
      if index < norms.count { norms[index].forwardByRunningStatistics(rows, in: list) }
    }
  }

  /// The gradients of all rows, from dLoss/dimages; those of outputs depart as soon as nobody waits for anything behind
  /// them. Every rank must call this.
  /// - Throws: `KernelError`, `MemoryError`, or what the collective throws.
  public func backward(in program: Program, _ route: GradientRoute) throws {
    func depart(_ linear: Linear) throws {
      try program.depart(linear.travellingGradient(route), for: linear)
    }
    try program.everyWorker { try linears[norms.count].backward($0, in: $1) }
    for (index, norm) in norms.enumerated().reversed() {
      program.everyWorker { norm.addUpGradient($0, in: $1) }
      try program.meet(
        "\(Self.normName(index)).backward", finishing: [], inside: [norm.gradientMoments])
      // Not before: BatchNorm's few numbers would queue up behind the rows.
      try depart(linears[index + 1])
      try program.everyWorker { rows, list in
        try norm.backward(rows, in: list)
        try linears[index].backward(rows, in: list)
      }
    }
    try depart(linears[0])
  }
}

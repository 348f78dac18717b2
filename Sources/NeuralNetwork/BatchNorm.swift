import Matrices

/// Batch normalisation over the global batch, with a LeakyReLU behind it:
/// `output = LeakyReLU(scale * normalized + shift)`, `normalized = (input - mean) / √(variance + ε)`.
///
/// PyTorch's `nn.BatchNorm1d` as `SyncBatchNorm` computes it: mean and variance are those of all ranks'
/// rows (Ioffe and Szegedy, 2015; merged as Chan, Golub and LeVeque, 1983). The page *BatchNorm across
/// ranks* has the formulas. Several passes over the network, each with statistics of its own, may be stacked: they
/// then meet in one message.
public final class BatchNorm {
  /// Where the layer's tensors are: scale and shift among the parameters, running state among the buffers.
  public struct Parameters: Sendable {
    public let scale: ParameterLayout.Entry
    public let shift: ParameterLayout.Entry
    public let runningMean: ParameterLayout.Entry
    public let runningVariance: ParameterLayout.Entry

    /// Declares `name.weight`, `name.bias` and the buffers `name.running_mean`, `name.running_var`.
    public init(
      _ name: String, size: Int, in parameters: inout ParameterLayout,
      buffers: inout ParameterLayout
    ) {
      scale = parameters.add("\(name).weight", shape: [size])
      shift = parameters.add("\(name).bias", shape: [size])
      runningMean = buffers.add("\(name).running_mean", shape: [size])
      runningVariance = buffers.add("\(name).running_var", shape: [size])
    }
  }

  /// Where mean and variance come from.
  public enum Mode: Sendable {
    /// From the global batch; the running statistics move. Every rank must call `forward`.
    case training
    /// From the running statistics; ranks do not meet.
    case inference
  }

  /// ε, added to the variance.
  public static let epsilon = 1e-5
  /// The weight of the new value in the running statistics (PyTorch's `momentum`).
  public static let momentum = 0.1

  /// `[rows, features]`; its gradient shares its memory with the input's.
  public let output: Signal
  private let names: PassageNames
  private let input: Signal
  private let slope: Float
  private let shard: Shard
  private let passes: Int
  private let arenas: (values: ParameterArena, buffers: ParameterArena)
  private let scale, shift, runningMean, runningVariance: Matrix
  /// Gradients of scale and shift, one of each a node that this rank owns.
  private let parameterGradients: [(scale: Matrix, shift: Matrix, isFirst: Bool)]

  /// Of each pass and feature, `[passes, features]`:
  private let mean, inverseDeviation: Matrix
  // Of each feature, [1, features]:
  private let factor, meanGradient, meanProduct: Matrix
  /// The input, normalised: forward overwrites it in place, backward needs it.
  private var normalized: Matrix { input.value }

  // Contributions [nodes, passes, (mean[features], m2[features])] and [nodes, (Σdy[features], Σdy*normalized[features])].
  private let moments: MomentExchange
  private let gradientSums: SumExchange

  /// Plans the layer for the rows of `input`, whose value and gradient it overwrites.
  ///
  /// - Parameters:
  ///   - gradients: where this rank's part of dLoss/dscale and dLoss/dshift is written; nil if not trained.
  ///   - input: the rows of all passes, one pass behind the other; only the last pass can have a gradient.
  ///   - batch: the global batch that a pass is a part of. Every rank must make the layer.
  ///   - name: the layer's name, in exchanges and traces, such as "G.1".
  public init(
    _ parameters: Parameters, values: ParameterArena, buffers: ParameterArena,
    gradients: PartialGradients?, input: Signal, passes: Int = 1, slope: Float,
    batch: DistributedBatch, name: String, workspace: Workspace
  ) throws {
    let features = input.value.columns
    precondition(input.value.rows == passes * batch.shard.rowCount)
    names = PassageNames(name)
    self.input = input
    self.slope = slope
    self.passes = passes
    shard = batch.shard
    arenas = (values, buffers)
    output = Signal(
      value: try workspace.matrix(rows: input.value.rows, columns: features),
      gradient: input.gradient)
    scale = values.matrix(parameters.scale)
    shift = values.matrix(parameters.shift)
    runningMean = buffers.matrix(parameters.runningMean)
    runningVariance = buffers.matrix(parameters.runningVariance)
    parameterGradients =
      gradients?.nodes.map {
        ($0.arena.matrix(parameters.scale), $0.arena.matrix(parameters.shift), $0.isFirst)
      } ?? []
    mean = try workspace.matrix(rows: passes, columns: features)
    inverseDeviation = try workspace.matrix(rows: passes, columns: features)
    factor = try workspace.matrix(rows: 1, columns: features)
    meanGradient = try workspace.matrix(rows: 1, columns: features)
    meanProduct = try workspace.matrix(rows: 1, columns: features)
    moments = try MomentExchange(
      name: "\(name).forward", passes: passes, features: features, over: batch)
    gradientSums = try SumExchange(name: "\(name).backward", count: 2 * features, over: batch)
  }

  /// Normalises the input and applies scale, shift and LeakyReLU.
  ///
  /// In training every rank must call this, also one without rows.
  /// - Throws: what the collective throws.
  public func forward(_ mode: Mode) throws {
    try Timeline.record(.passage, names.forward) { try normalize(mode) }
  }

  private func normalize(_ mode: Mode) throws {
    let rows = input.value.rows / passes
    if mode == .training { try moments.run(on: input.value) }
    for pass in 0..<passes {
      switch mode {
      case .training: useGlobalMoments(ofPass: pass)
      case .inference: useRunningStatistics(forPass: pass)
      }
      let ofPass = pass * rows..<(pass + 1) * rows
      VectorMath.batchNormForward(
        input.value.rows(ofPass), mean: mean.rows(pass..<pass + 1),
        inverseDeviation: inverseDeviation.rows(pass..<pass + 1), scale: scale, shift: shift,
        slope: slope, output: output.value.rows(ofPass))
    }
  }

  /// Turns dLoss/doutput of the last pass into dLoss/dinput in place. With dy the gradient behind the LeakyReLU and N
  /// the global number of rows:
  ///
  ///     dx = scale / √(variance + ε) * (dy - Σdy / N - normalized * Σ(dy * normalized) / N)
  ///
  /// Both sums run over all ranks' rows and travel in one message. They are dshift and dscale: one rank
  /// writes them, and the others zero, into what is reduced with all other gradients. Every rank must call this.
  /// - Throws: what the collective throws.
  public func backward() throws {
    try Timeline.record(.passage, names.backward) { try backpropagate() }
  }

  private func backpropagate() throws {
    guard let gradient = output.gradient else { return }
    let normalized = input.differentiableValue
    VectorMath.leakyReLUBackward(gradient, output: output.differentiableValue, slope: slope)
    try gradientSums.run { rows, sums in
      VectorMath.batchNormBackwardSums(
        gradient: gradient.rows(rows), normalized: normalized.rows(rows), into: sums)
    }
    useGlobalGradientSums()
    VectorMath.batchNormBackwardInput(
      gradient, normalized: normalized, factor: factor, meanGradient: meanGradient,
      meanProduct: meanProduct)
  }

  private static func inverseDeviation(_ variance: Double) -> Float {
    Float(1 / (variance + epsilon).squareRoot())
  }

  /// Normalises with the biased variance M2/N; the running variance takes the unbiased M2/(N-1).
  private func useGlobalMoments(ofPass pass: Int) {
    let count = Double(shard.globalBatchSize)
    let momentum = Self.momentum
    let (globalMean, globalM2) = moments.ofPass(pass)
    for feature in 0..<scale.columns {
      mean[pass, feature] = Float(globalMean[feature])
      inverseDeviation[pass, feature] = Self.inverseDeviation(globalM2[feature] / count)
      runningMean[0, feature] = Float(
        (1 - momentum) * Double(runningMean[0, feature]) + momentum * globalMean[feature])
      runningVariance[0, feature] = Float(
        (1 - momentum) * Double(runningVariance[0, feature])
          + momentum * globalM2[feature] / (count - 1))
    }
  }

  private func useRunningStatistics(forPass pass: Int) {
    for feature in 0..<scale.columns {
      mean[pass, feature] = runningMean[0, feature]
      inverseDeviation[pass, feature] = Self.inverseDeviation(
        Double(runningVariance[0, feature]))
    }
  }

  private func useGlobalGradientSums() {
    let features = scale.columns
    let count = Double(shard.globalBatchSize)
    let (sums, productSums) = (gradientSums.sums, gradientSums.sums + features)
    for feature in 0..<features {
      factor[0, feature] = scale[0, feature] * inverseDeviation[passes - 1, feature]
      meanGradient[0, feature] = Float(sums[feature] / count)
      meanProduct[0, feature] = Float(productSums[feature] / count)
    }
    for gradient in parameterGradients {
      for feature in 0..<features {
        gradient.shift[0, feature] = gradient.isFirst ? Float(sums[feature]) : 0
        gradient.scale[0, feature] = gradient.isFirst ? Float(productSums[feature]) : 0
      }
    }
  }
}

import Matrices

/// Batch normalisation over the global batch, with a LeakyReLU behind it:
/// `output = LeakyReLU(scale * normalized + shift)`, `normalized = (input - mean) / √(variance + ε)`.
///
/// PyTorch's `nn.BatchNorm1d` as `SyncBatchNorm` computes it: mean and variance are those of all ranks'
/// rows (Ioffe and Szegedy, 2015; merged as Chan, Golub and LeVeque, 1983). The page *BatchNorm across
/// ranks* has the formulas.
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
  private let input: Matrix
  private let slope: Float
  private let shard: Shard
  private let arenas: (values: ParameterArena, buffers: ParameterArena, gradients: ParameterArena?)
  private let scale, shift, runningMean, runningVariance: Matrix
  private let scaleGradient, shiftGradient: Matrix?

  // Of each feature, [1, features]:
  private let mean, inverseDeviation: Matrix
  private let factor, meanGradient, meanProduct: Matrix
  /// The input, normalised: forward overwrites it in place, backward needs it.
  private var normalized: Matrix { input }

  // Contributions [mean[features], m2[features]] and [Σdy[features], Σdy*normalized[features]].
  private let moments: any Gather
  private let gradientSums: any Gather
  private let globalMean, globalM2: UnsafeMutableBufferPointer<Double>

  /// Plans the layer for the rows of `input`, whose value and gradient it overwrites.
  ///
  /// - Parameters:
  ///   - gradients: where this rank's part of dLoss/dscale and dLoss/dshift is written; nil if not trained.
  ///   - batch: the global batch that `input` is a part of. Every rank must make the layer.
  ///   - name: the exchanges' name, such as "G(z1).1".
  public init(
    _ parameters: Parameters, values: ParameterArena, buffers: ParameterArena,
    gradients: ParameterArena?, input: Signal, slope: Float, batch: DistributedBatch,
    name: String, workspace: Workspace
  ) throws {
    let features = input.value.columns
    self.input = input.value
    self.slope = slope
    shard = batch.shard
    arenas = (values, buffers, gradients)
    output = Signal(
      value: workspace.matrix(rows: input.value.rows, columns: features), gradient: input.gradient)
    scale = values.matrix(parameters.scale)
    shift = values.matrix(parameters.shift)
    runningMean = buffers.matrix(parameters.runningMean)
    runningVariance = buffers.matrix(parameters.runningVariance)
    scaleGradient = gradients?.matrix(parameters.scale)
    shiftGradient = gradients?.matrix(parameters.shift)
    mean = workspace.matrix(rows: 1, columns: features)
    inverseDeviation = workspace.matrix(rows: 1, columns: features)
    factor = workspace.matrix(rows: 1, columns: features)
    meanGradient = workspace.matrix(rows: 1, columns: features)
    meanProduct = workspace.matrix(rows: 1, columns: features)
    globalMean = workspace.zeros(count: features)
    globalM2 = workspace.zeros(count: features)
    moments = try batch.collective.makeGather(
      name: "\(name).forward", count: 2 * features)
    gradientSums = try batch.collective.makeGather(
      name: "\(name).backward", count: 2 * features)
  }

  /// Normalises the input and applies scale, shift and LeakyReLU.
  ///
  /// In training every rank must call this, also one without rows.
  /// - Throws: what the collective throws.
  public func forward(_ mode: Mode) throws {
    switch mode {
    case .training:
      try meetMoments()
      useGlobalMoments()
    case .inference:
      for feature in 0..<scale.columns {
        mean[0, feature] = runningMean[0, feature]
        inverseDeviation[0, feature] = Self.inverseDeviation(Double(runningVariance[0, feature]))
      }
    }
    VectorMath.batchNormForward(
      input, mean: mean, inverseDeviation: inverseDeviation, scale: scale, shift: shift,
      slope: slope, output: output.value)
  }

  /// Turns dLoss/doutput into dLoss/dinput in place. With dy the gradient behind the LeakyReLU and N the
  /// global number of rows:
  ///
  ///     dx = scale / √(variance + ε) * (dy - Σdy / N - normalized * Σ(dy * normalized) / N)
  ///
  /// Both sums run over all ranks' rows and travel in one message. dscale = Σ(dy * normalized) and
  /// dshift = Σdy are written for this rank's rows only: they are reduced with all other gradients.
  /// Every rank must call this.
  /// - Throws: what the collective throws.
  public func backward() throws {
    guard let gradient = output.gradient else { return }
    VectorMath.leakyReLUBackward(gradient, output: output.value, slope: slope)
    guard let contribution = gradientSums.contribution.baseAddress else { return }
    VectorMath.batchNormBackwardSums(
      gradient: gradient, normalized: normalized, into: contribution)
    let features = scale.columns
    if let scaleGradient, let shiftGradient {
      for feature in 0..<features {
        shiftGradient[0, feature] = Float(contribution[feature])
        scaleGradient[0, feature] = Float(contribution[features + feature])
      }
    }
    try gradientSums.run()
    useGlobalGradientSums()
    VectorMath.batchNormBackwardInput(
      gradient, normalized: normalized, factor: factor, meanGradient: meanGradient,
      meanProduct: meanProduct)
  }

  private static func inverseDeviation(_ variance: Double) -> Float {
    Float(1 / (variance + epsilon).squareRoot())
  }

  /// Merges (count, mean, M2) of all ranks, in rank order, so that every rank gets the same bits.
  private func meetMoments() throws {
    let features = scale.columns
    guard let contribution = moments.contribution.baseAddress else { return }
    VectorMath.columnMoments(of: input, mean: contribution, m2: contribution + features)
    try moments.run()
    globalMean.update(repeating: 0)
    globalM2.update(repeating: 0)
    guard let all = moments.contributions.baseAddress else { return }
    var mergedCount = 0.0
    for rank in 0..<shard.rankCount {
      let count = Double(shard.shard(ofRank: rank).rowCount)
      guard count > 0 else { continue }
      let ranksMean = all + rank * 2 * features
      let ranksM2 = ranksMean + features
      let total = mergedCount + count
      for feature in 0..<features {
        let distance = ranksMean[feature] - globalMean[feature]
        globalMean[feature] += distance * (count / total)
        globalM2[feature] += ranksM2[feature] + distance * distance * (mergedCount * count / total)
      }
      mergedCount = total
    }
  }

  /// Normalises with the biased variance M2/N; the running variance takes the unbiased M2/(N-1).
  private func useGlobalMoments() {
    let count = Double(shard.globalBatchSize)
    let momentum = Self.momentum
    for feature in 0..<scale.columns {
      mean[0, feature] = Float(globalMean[feature])
      inverseDeviation[0, feature] = Self.inverseDeviation(globalM2[feature] / count)
      runningMean[0, feature] = Float(
        (1 - momentum) * Double(runningMean[0, feature]) + momentum * globalMean[feature])
      runningVariance[0, feature] = Float(
        (1 - momentum) * Double(runningVariance[0, feature])
          + momentum * globalM2[feature] / (count - 1))
    }
  }

  private func useGlobalGradientSums() {
    let features = scale.columns
    let count = Double(shard.globalBatchSize)
    guard let all = gradientSums.contributions.baseAddress else { return }
    for feature in 0..<features {
      var (gradientSum, productSum) = (0.0, 0.0)
      for rank in 0..<shard.rankCount {
        gradientSum += all[rank * 2 * features + feature]
        productSum += all[rank * 2 * features + features + feature]
      }
      factor[0, feature] = scale[0, feature] * inverseDeviation[0, feature]
      meanGradient[0, feature] = Float(gradientSum / count)
      meanProduct[0, feature] = Float(productSum / count)
    }
  }
}

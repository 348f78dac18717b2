import Collectives
import Matrices
import VectorKernels

/// Batch normalisation over the global batch, with a LeakyReLU behind it:
/// `output = LeakyReLU(scale * normalized + shift)`, `normalized = (input - mean) / √(variance + ε)`.
///
/// PyTorch's `nn.BatchNorm1d` as `SyncBatchNorm` computes it: mean and variance are those of all ranks'
/// rows (Ioffe and Szegedy, 2015; merged as Chan, Golub and LeVeque, 1983). The page *BatchNorm across
/// ranks* has the formulas. Several passes over the network, each with statistics of its own, may be stacked.
///
/// Who has a block of rows writes what the block adds to a sum. After a barrier every worker adds up all blocks for
/// itself: that is little work, and saves a second barrier.
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

  /// ε, added to the variance.
  public static let epsilon = 1e-5
  /// The weight of the new value in the running statistics (PyTorch's `momentum`).
  public static let momentum = 0.1

  /// `[passes * B, features]`; its gradient shares its memory with the input's.
  public let output: Signal
  private let names: PassNames
  private let parameters: Parameters
  private let input: Signal
  private let slope: Float
  private let batch: DistributedBatch
  private let scale, shift, runningMean, runningVariance: Matrix
  private let moments, gradientSums: BlockSums
  private let threads: [OfThread]
  private let workspace = Workspace()

  /// What a worker has for itself.
  private struct OfThread: BitwiseCopyable {
    /// `[passes, features]`.
    let mean, inverseDeviation: Matrix
    /// `[1, features]`.
    let factor, meanGradient, meanProduct: Matrix
    /// dLoss/dshift and dLoss/dscale, `[1, features]`.
    let shiftGradient, scaleGradient: Matrix
  }

  /// Every rank must make the layer.
  /// - Parameters:
  ///   - values: scale and shift.
  ///   - buffers: running statistics, once a host.
  ///   - input: the rows of all passes, whose value and gradient the layer overwrites.
  ///   - precision: in which the next layer's weight gradient reads the output.
  ///   - name: the layer's name in a trace, such as "G.1".
  /// - Throws: what the collective throws.
  public init(
    _ parameters: Parameters, values: ParameterArena, buffers: ParameterArena, input: Signal,
    precision: Precision = .float32, slope: Float, batch: DistributedBatch, name: String
  ) throws {
    let (features, passes) = (input.value.columns, input.passes)
    names = PassNames(name)
    self.parameters = parameters
    (self.input, self.slope, self.batch) = (input, slope, batch)
    output = try Signal(
      value: try batch.matrix(rows: input.value.rows, columns: features), passes: passes,
      gradient: input.gradient, differentiablePasses: input.differentiablePasses,
      precision: precision, of: batch)
    scale = values.matrix(parameters.scale)
    shift = values.matrix(parameters.shift)
    runningMean = buffers.matrix(parameters.runningMean)
    runningVariance = buffers.matrix(parameters.runningVariance)
    moments = try BlockSums(.moments, passes: passes, count: 2 * features, of: batch)
    gradientSums = try BlockSums(
      .sums, passes: input.differentiablePasses, count: 2 * features, of: batch)
    threads = try batch.placement.rowsOfThreads.map { [workspace] _ in
      func row() throws -> Matrix { try workspace.matrix(rows: 1, columns: features) }
      return OfThread(
        mean: try workspace.matrix(rows: passes, columns: features),
        inverseDeviation: try workspace.matrix(rows: passes, columns: features),
        factor: try row(), meanGradient: try row(), meanProduct: try row(),
        shiftGradient: try row(), scaleGradient: try row())
    }
  }

  /// What has to run inside the exchange between ``addUpInput(_:in:)`` and ``forward(_:in:)``.
  public var inputMoments: Movement { moments.movement }
  /// What has to run inside the exchange between ``addUpGradient(_:in:)`` and ``backward(_:in:)``.
  public var gradientMoments: Movement { gradientSums.movement }

  private static func inverseDeviation(_ variance: Double) -> Float {
    Float(1 / (variance + epsilon).squareRoot())
  }
}

/// Forward.
extension BatchNorm {
  private struct BlockMoments: BitwiseCopyable {
    let x: Matrix
    let moments: UnsafeMutablePointer<Double>
  }

  /// Takes means, and sums of squared distances from them, of each block of the worker's rows.
  public func addUpInput(_ rows: Range<Int>, in list: InstructionList) {
    list.named(names.forward) {
      for pass in 0..<input.passes {
        for (block, rows) in moments.blocks(rows) {
          let operands = BlockMoments(
            x: input.value(rows, ofPass: pass), moments: moments.part(block, ofPass: pass))
          list.append(.elementwise, operands) { operands, _ in
            let it = operands.assumingMemoryBound(to: BlockMoments.self).pointee
            VectorMath.kernels.pointee.columnMoments(
              it.x.elements, it.x.rows, it.x.columns, it.moments, it.moments + it.x.columns)
          }
        }
      }
    }
  }

  private struct Statistics: BitwiseCopyable {
    let walk: BlockSums.Walk
    let rows: Int
    let mean, inverseDeviation: Matrix
    /// Of one worker of a host.
    let keepsRunning: Bool
    let runningMean, runningVariance: Matrix

    /// Normalises with the biased variance M2/N; the running variance takes the unbiased M2/(N-1).
    func take() {
      walk.run()
      let (count, momentum) = (Double(rows), BatchNorm.momentum)
      let (means, m2) = (walk.stack, walk.stack + mean.columns)
      for feature in 0..<mean.columns {
        mean[0, feature] = Float(means[feature])
        inverseDeviation[0, feature] = BatchNorm.inverseDeviation(m2[feature] / count)
      }
      guard keepsRunning else { return }
      for feature in 0..<mean.columns {
        runningMean[0, feature] = Float(
          (1 - momentum) * Double(runningMean[0, feature]) + momentum * means[feature])
        runningVariance[0, feature] = Float(
          (1 - momentum) * Double(runningVariance[0, feature])
            + momentum * m2[feature] / (count - 1))
      }
    }
  }

  /// Normalises the worker's rows by the statistics of each pass, and applies scale, shift and LeakyReLU.
  /// - Throws: `MemoryError`.
  public func forward(_ rows: Range<Int>, in list: InstructionList) throws {
    let topology = batch.collective.topology
    let keepsRunning = topology.isLeader && list.thread == 0
    guard keepsRunning || !rows.isEmpty else { return }
    let own = threads[list.thread]
    try list.named(names.forward) {
      for pass in 0..<input.passes {
        let statistics = Statistics(
          walk: try moments.walk(ofPass: pass, in: list.workspace), rows: batch.rows,
          mean: own.mean.rows(pass..<pass + 1),
          inverseDeviation: own.inverseDeviation.rows(pass..<pass + 1), keepsRunning: keepsRunning,
          runningMean: runningMean, runningVariance: runningVariance)
        list.append(.elementwise, statistics) { operands, _ in
          operands.assumingMemoryBound(to: Statistics.self).pointee.take()
        }
        normalize(rows, ofPass: pass, in: list)
      }
    }
  }

  private struct RunningStatistics: BitwiseCopyable {
    let mean, inverseDeviation, runningMean, runningVariance: Matrix
  }

  /// The same by the running statistics, which do not move: inference.
  public func forwardByRunningStatistics(_ rows: Range<Int>, in list: InstructionList) {
    let own = threads[list.thread]
    for pass in 0..<input.passes {
      let statistics = RunningStatistics(
        mean: own.mean.rows(pass..<pass + 1),
        inverseDeviation: own.inverseDeviation.rows(pass..<pass + 1), runningMean: runningMean,
        runningVariance: runningVariance)
      list.append(.elementwise, statistics) { operands, _ in
        let it = operands.assumingMemoryBound(to: RunningStatistics.self).pointee
        for feature in 0..<it.mean.columns {
          it.mean[0, feature] = it.runningMean[0, feature]
          it.inverseDeviation[0, feature] = BatchNorm.inverseDeviation(
            Double(it.runningVariance[0, feature]))
        }
      }
      normalize(rows, ofPass: pass, in: list)
    }
  }

  private struct Normalization: BitwiseCopyable {
    let x, y, mean, inverseDeviation, scale, shift: Matrix
    let slope: Float
  }

  /// x becomes (x - mean) * inverseDeviation; output = LeakyReLU(scale * x + shift).
  private func normalize(_ rows: Range<Int>, ofPass pass: Int, in list: InstructionList) {
    guard !rows.isEmpty else { return }
    let own = threads[list.thread]
    let operands = Normalization(
      x: input.value(rows, ofPass: pass), y: output.value(rows, ofPass: pass),
      mean: own.mean.rows(pass..<pass + 1),
      inverseDeviation: own.inverseDeviation.rows(pass..<pass + 1), scale: scale, shift: shift,
      slope: slope)
    list.append(.elementwise, operands) { operands, _ in
      let it = operands.assumingMemoryBound(to: Normalization.self).pointee
      VectorMath.kernels.pointee.batchNormForward(
        it.x.elements, it.x.rows, it.x.columns, it.mean.elements, it.inverseDeviation.elements,
        it.scale.elements, it.shift.elements, it.slope, it.y.elements)
    }
  }
}

/// Backward. With dy the gradient behind the LeakyReLU and N the global number of rows:
///
///     dx = scale / √(variance + ε) * (dy - Σdy / N - normalized * Σ(dy * normalized) / N)
///
/// Both sums run over all ranks' rows. They are dshift and dscale.
extension BatchNorm {
  private struct BlockGradient: BitwiseCopyable {
    let gradient, normalized: Matrix
    let sums: UnsafeMutablePointer<Double>
  }

  /// Turns dLoss/doutput of the worker's rows into dy, and adds it up for each block.
  public func addUpGradient(_ rows: Range<Int>, in list: InstructionList) {
    list.named(names.backward) {
      for (index, pass) in input.lastPasses.enumerated() {
        guard let gradient = output.gradient(rows, ofPass: pass) else { return }
        list.leakyReLUBackward(gradient, output: output.value(rows, ofPass: pass), slope: slope)
        for (block, rows) in gradientSums.blocks(rows) {
          guard let gradient = output.gradient(rows, ofPass: pass) else { return }
          let operands = BlockGradient(
            gradient: gradient, normalized: input.value(rows, ofPass: pass),
            sums: gradientSums.part(block, ofPass: index))
          list.append(.elementwise, operands) { operands, _ in
            let it = operands.assumingMemoryBound(to: BlockGradient.self).pointee
            VectorMath.kernels.pointee.batchNormBackwardSums(
              it.gradient.elements, it.normalized.elements, it.gradient.rows, it.gradient.columns,
              it.sums)
          }
        }
      }
    }
  }

  private struct GradientMeans: BitwiseCopyable {
    let walk: BlockSums.Walk
    let rows: Int
    let own: OfThread
    let scale, inverseDeviation: Matrix

    func take() {
      walk.run()
      let features = scale.columns
      let (sums, productSums) = (walk.stack, walk.stack + features)
      for feature in 0..<features {
        own.factor[0, feature] = scale[0, feature] * inverseDeviation[0, feature]
        own.meanGradient[0, feature] = Float(sums[feature] / Double(rows))
        own.meanProduct[0, feature] = Float(productSums[feature] / Double(rows))
        own.shiftGradient[0, feature] = Float(sums[feature])
        own.scaleGradient[0, feature] = Float(productSums[feature])
      }
    }
  }

  private struct Derivation: BitwiseCopyable {
    let gradient, normalized: Matrix
    let own: OfThread
  }

  /// dy of the worker's rows becomes dLoss/dinput, in place.
  /// - Throws: `MemoryError`.
  public func backward(_ rows: Range<Int>, in list: InstructionList) throws {
    precondition(input.differentiablePasses == 1, "gradients of one pass")
    let pass = input.passes - 1
    let own = threads[list.thread]
    try list.named(names.backward) {
      let means = GradientMeans(
        walk: try gradientSums.walk(ofPass: 0, in: list.workspace), rows: batch.rows, own: own,
        scale: scale, inverseDeviation: own.inverseDeviation.rows(pass..<pass + 1))
      list.append(.elementwise, means) { operands, _ in
        operands.assumingMemoryBound(to: GradientMeans.self).pointee.take()
      }
      guard !rows.isEmpty, let gradient = output.gradient(rows, ofPass: pass) else { return }
      let derivation = Derivation(
        gradient: gradient, normalized: input.value(rows, ofPass: pass), own: own)
      list.append(.elementwise, derivation) { operands, _ in
        let it = operands.assumingMemoryBound(to: Derivation.self).pointee
        VectorMath.kernels.pointee.batchNormBackwardInput(
          it.gradient.elements, it.normalized.elements, it.gradient.rows, it.gradient.columns,
          it.own.factor.elements, it.own.meanGradient.elements, it.own.meanProduct.elements)
      }
    }
  }

  /// Adam's step for scale and shift of some features: their gradients are there after ``backward(_:in:)``.
  public func update(_ features: Range<Int>, by adam: Adam, in list: InstructionList) {
    guard !features.isEmpty else { return }
    let own = threads[list.thread]
    list.named(names.update) {
      for (entry, gradient) in [
        (parameters.scale, own.scaleGradient), (parameters.shift, own.shiftGradient),
      ] {
        list.adam(
          adam, gradients: gradient.elements + features.lowerBound,
          at: entry.offset + features.lowerBound, count: features.count, rounded: nil)
      }
    }
  }
}

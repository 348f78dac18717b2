import Collectives
import Matrices

/// A fully connected layer with an activation: `output = activation(input * weightᵀ + bias)`.
///
/// PyTorch's `nn.Linear`: weight `[outputSize, inputSize]`, bias `[outputSize]`. A worker plans what it does: its rows
/// forward and backward, and its outputs' update.
public final class Linear {
  /// Where the layer's tensors are in an arena.
  public struct Parameters: Sendable {
    public let weight: ParameterLayout.Entry
    public let bias: ParameterLayout.Entry
    public var inputSize: Int { weight.shape[1] }
    public var outputSize: Int { weight.shape[0] }

    /// Declares `name.weight` and `name.bias`.
    public init(_ name: String, inputSize: Int, outputSize: Int, in layout: inout ParameterLayout) {
      weight = layout.add("\(name).weight", shape: [outputSize, inputSize])
      bias = layout.add("\(name).bias", shape: [outputSize])
    }
  }

  public let parameters: Parameters
  public let input: Signal
  public let output: Signal
  private let names: PassNames
  private let activation: ProductActivation
  private let weights: ProductWeights
  private let weight: WeightFactor
  private let bias: Matrix
  private let isTrained: Bool
  private let batch: DistributedBatch

  /// - Parameters:
  ///   - weights: the values as products read them, whose precision all factors have.
  ///   - input: `[passes * B, inputSize]`.
  ///   - output: `[passes * B, outputSize]`.
  ///   - isTrained: whether ``update(_:by:in:)`` will be planned.
  ///   - name: the layer's name in a trace, such as "G.0".
  public init(
    _ parameters: Parameters, weights: ProductWeights, input: Signal, output: Signal,
    activation: ProductActivation = .identity, isTrained: Bool, batch: DistributedBatch,
    name: String
  ) {
    names = PassNames(name)
    self.parameters = parameters
    (self.input, self.output, self.activation) = (input, output, activation)
    (self.weights, self.isTrained, self.batch) = (weights, isTrained, batch)
    weight = weights[parameters.weight]
    bias = weights.arena.matrix(parameters.bias)
  }

  /// output = activation(input * weightᵀ + bias), for rows of all passes.
  /// - Throws: `KernelError`, `MemoryError`.
  public func forward(_ rows: Range<Int>, in list: InstructionList) throws {
    try list.named(names.forward) {
      try list.activatedProduct(
        (0..<input.passes).map {
          (input.value(rows, ofPass: $0), output.value(rows, ofPass: $0))
        }, times: weight, plus: bias, activation: activation)
      guard isTrained, let pairs = input.valuePairs else { return }
      for pass in 0..<output.differentiablePasses {
        list.pair(input.differentiableValue, rows: rows, ofPass: pass, into: pairs)
      }
    }
  }

  /// dy = dLoss/doutput becomes the gradient before the activation; dinput = dy * weight.
  /// - Throws: `KernelError`, `MemoryError`.
  public func backward(_ rows: Range<Int>, in list: InstructionList) throws {
    try list.named(names.backward) {
      for (index, pass) in output.lastPasses.enumerated() {
        guard let gradient = output.gradient(rows, ofPass: pass) else { return }
        let value = output.value(rows, ofPass: pass)
        switch activation {
        case .identity: break
        case .leakyReLU(let slope):
          list.leakyReLUBackward(gradient, output: value, slope: slope)
        case .tanh: list.tanhBackward(gradient, output: value)
        }
        if isTrained, let pairs = output.gradientPairs, let all = output.gradient {
          list.pair(all, rows: rows, ofPass: index, into: pairs)
        }
        if let inputGradient = input.gradient(rows, ofPass: pass) {
          try list.plainProduct(gradient, times: weight, into: inputGradient)
        }
      }
    }
  }

  /// Rounds and pairs rows of the input that no forward pass of this host does, where weight gradients read pairs.
  /// - Parameter pass: of the differentiable ones.
  public func pairInput(_ rows: Range<Int>, ofPass pass: Int, in list: InstructionList) {
    guard isTrained, let pairs = input.valuePairs else { return }
    list.pair(input.differentiableValue, rows: rows, ofPass: pass, into: pairs)
  }

  /// The input as other hosts' weight gradients need it; it is there after ``forward(_:in:)``.
  /// - Parameter passes: of the differentiable ones; nil for all.
  public func travellingInput(
    passes: Range<Int>? = nil, _ route: GradientRoute
  ) -> [TravellingRows] {
    (passes ?? 0..<output.differentiablePasses).map { pass in
      if let pairs = input.valuePairs {
        return batch.travelling(pairs, pass: pass, route.rowsForHosts)
      }
      return batch.travelling(input.differentiableValue, pass: pass, route.rowsForHosts)
    }
  }

  /// The output's gradient as other hosts' weight gradients need it; it is there after ``backward(_:in:)``.
  public func travellingGradient(_ route: GradientRoute) -> [TravellingRows] {
    guard let gradient = output.gradient else { return [] }
    return (0..<output.differentiablePasses).flatMap { pass in
      // Biases are sums of the numbers themselves.
      [batch.travelling(gradient, pass: pass, route.rowsForHosts)]
        + (output.gradientPairs.map { [batch.travelling($0, pass: pass, route.rowsForHosts)] }
          ?? [])
    }
  }

  /// Outputs whose gradients are taken at a time: they stay in the second cache until Adam has used them.
  private static let outputsAtATime = 48

  /// The factors of the weight gradient.
  private var gradientFactors: (left: GradientFactor, right: GradientFactor)? {
    output.gradient.map { gradient in
      (
        output.gradientPairs.map { .bfloat16($0) } ?? .float32(gradient),
        input.valuePairs.map { .bfloat16($0) } ?? .float32(input.differentiableValue)
      )
    }
  }

  /// What each host should at least send each other one of a piece's sums, in bytes.
  private static let bytesOfSlice = 64 << 10

  private static func pieces(_ outputs: Range<Int>, of count: Int = outputsAtATime) -> [Range<Int>]
  {
    stride(from: outputs.lowerBound, to: outputs.upperBound, by: count).map {
      $0..<min($0 + count, outputs.upperBound)
    }
  }

  /// dweight = dyᵀ * input and dbias = Σ rows of dy, over all rows of all hosts, and Adam's step with them, for some
  /// outputs.
  /// - Throws: `KernelError`, `MemoryError`.
  public func update(_ outputs: Range<Int>, by adam: Adam, in list: InstructionList) throws {
    guard let gradient = output.gradient, let (left, right) = gradientFactors else { return }
    let passes = output.differentiablePasses
    let order = SummationOrder(rows: batch.rows)
    let inputSize = parameters.inputSize
    try list.named(names.update) {
      let stack = try SumStack(
        depth: order.depth, count: Self.outputsAtATime * inputSize, in: list.workspace)
      for outputs in Self.pieces(outputs) {
        try list.weightGradient(
          left, outputs: outputs, times: right, passes: passes, order: order, stack: stack)
        list.adam(
          adam, gradients: stack.sum,
          at: parameters.weight.offset + outputs.lowerBound * inputSize,
          count: outputs.count * inputSize, rounded: weights.rounded)
        list.pairUp(weight, outputs: outputs)
      }
      let biasStack = try SumStack(depth: order.depth, count: outputs.count, in: list.workspace)
      list.biasGradient(gradient, outputs: outputs, passes: passes, order: order, stack: biasStack)
      list.adam(
        adam, gradients: biasStack.sum, at: parameters.bias.offset + outputs.lowerBound,
        count: outputs.count, rounded: nil)
    }
  }

  /// The outputs in pieces, so that the sums of one travel while the next one's are taken.
  ///
  /// A piece keeps all workers of the largest host busy, and is large enough that no host's slice of it is a tiny
  /// message.
  public var piecesForSums: [Range<Int>] {
    let topology = batch.collective.topology
    let leastBytes = topology.hostCount * Self.bytesOfSlice
    let bytesOfOutput = (parameters.inputSize + 1) * MemoryLayout<Float>.stride
    let group = Self.outputsAtATime * topology.mostWorkers
    let groups = (leastBytes + group * bytesOfOutput - 1) / (group * bytesOfOutput)
    return Self.pieces(0..<parameters.outputSize, of: groups * group)
  }

  /// Where the gradients of some outputs are summed if sums travel. Every rank must call this.
  /// - Throws: what the collective throws.
  public func makeGradientSum(_ outputs: Range<Int>, _ route: GradientRoute) throws -> GradientSum {
    try GradientSum(
      outputs, inputSize: parameters.inputSize, route, over: batch.collective)
  }

  /// What this host's nodes add to the gradient of some outputs.
  /// - Throws: `KernelError`, `MemoryError`.
  public func addUp(
    _ outputs: Range<Int>, into sum: GradientSum, in list: InstructionList, look: () -> Void
  ) throws {
    guard !outputs.isEmpty, let gradient = output.gradient, let (left, right) = gradientFactors
    else { return }
    let passes = output.differentiablePasses
    let inputSize = parameters.inputSize
    try list.named(names.update) {
      for (index, order) in sum.orders.enumerated() where !order.terms.isEmpty {
        for outputs in Self.pieces(outputs) {
          try list.weightGradient(
            left, outputs: outputs, times: right, passes: passes, order: order,
            stack: SumStack(
              sum: sum.weights(of: outputs.lowerBound, node: index), depth: order.depth,
              count: outputs.count * inputSize, in: list.workspace))
          look()
        }
        list.biasGradient(
          gradient, outputs: outputs, passes: passes, order: order,
          stack: try SumStack(
            sum: sum.bias(of: outputs.lowerBound, node: index), depth: order.depth,
            count: outputs.count, in: list.workspace))
      }
    }
  }

  /// Adam's step with the gradient of all hosts, for some outputs.
  public func update(
    _ outputs: Range<Int>, by adam: Adam, gradient sum: GradientSum, in list: InstructionList
  ) {
    guard !outputs.isEmpty else { return }
    let inputSize = parameters.inputSize
    list.named(names.update) {
      list.adam(
        adam, gradients: sum.weights(of: outputs.lowerBound, node: 0),
        at: parameters.weight.offset + outputs.lowerBound * inputSize,
        count: outputs.count * inputSize, rounded: weights.rounded)
      list.pairUp(weight, outputs: outputs)
      list.adam(
        adam, gradients: sum.bias(of: outputs.lowerBound, node: 0),
        at: parameters.bias.offset + outputs.lowerBound, count: outputs.count, rounded: nil)
    }
  }
}

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

  /// What other hosts need for ``update(_:by:in:)``: input and gradient of the rows that they do not have.
  /// - Parameter withInput: whether they need the input as well; they may have it from elsewhere.
  public func travellingRows(withInput: Bool = true) -> [TravellingRows] {
    guard let gradient = output.gradient else { return [] }
    return (0..<output.differentiablePasses).flatMap { pass in
      var rows = [batch.travelling(gradient, pass: pass)]
      if let pairs = output.gradientPairs { rows.append(batch.travelling(pairs, pass: pass)) }
      if withInput {
        if let pairs = input.valuePairs {
          rows.append(batch.travelling(pairs, pass: pass))
        } else {
          rows.append(batch.travelling(input.differentiableValue, pass: pass))
        }
      }
      return rows
    }
  }

  /// Outputs whose gradients are taken at a time: they stay in the second cache until Adam has used them.
  private static let outputsAtATime = 48

  /// dweight = dyᵀ * input and dbias = Σ rows of dy, over all rows of all hosts, and Adam's step with them, for some
  /// outputs.
  /// - Throws: `KernelError`, `MemoryError`.
  public func update(_ outputs: Range<Int>, by adam: Adam, in list: InstructionList) throws {
    guard let gradient = output.gradient else { return }
    let passes = output.differentiablePasses
    let order = SummationOrder(rows: batch.rows)
    let inputSize = parameters.inputSize
    try list.named(names.update) {
      let stack = try list.workspace.matrix(
        rows: order.depth, columns: Self.outputsAtATime * inputSize)
      let left: GradientFactor = output.gradientPairs.map { .bfloat16($0) } ?? .float32(gradient)
      let right: GradientFactor =
        input.valuePairs.map { .bfloat16($0) } ?? .float32(input.differentiableValue)
      for begin in stride(from: outputs.lowerBound, to: outputs.upperBound, by: Self.outputsAtATime)
      {
        let outputs = begin..<min(begin + Self.outputsAtATime, outputs.upperBound)
        try list.weightGradient(
          left, outputs: outputs, times: right, passes: passes, order: order, stack: stack)
        list.adam(
          adam, gradients: stack.elements,
          at: parameters.weight.offset + outputs.lowerBound * inputSize,
          count: outputs.count * inputSize, rounded: weights.rounded)
        list.pairUp(weight, outputs: outputs)
      }
      let biasStack = try list.workspace.matrix(rows: order.depth, columns: outputs.count)
      list.biasGradient(gradient, outputs: outputs, passes: passes, order: order, stack: biasStack)
      list.adam(
        adam, gradients: biasStack.elements, at: parameters.bias.offset + outputs.lowerBound,
        count: outputs.count, rounded: nil)
    }
  }
}

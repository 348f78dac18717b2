import Matrices

/// A fully connected layer with an activation: `output = activation(input * weightᵀ + bias)`.
///
/// PyTorch's `nn.Linear`: weight `[outputSize, inputSize]`, bias `[outputSize]`.
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

  /// `[rows, outputSize]`.
  public let output: Signal
  private let names: PassageNames
  private let activation: ProductActivation
  private let values: ParameterArena
  private let weights: ProductWeights
  private let forwardProduct: ActivatedProduct
  private let parameterGradients: [LinearGradient]
  private let inputGradientProduct: PlainProduct?

  /// Plans the layer for the rows of `input`.
  ///
  /// - Parameters:
  ///   - weights: the values as products read them, whose precision all factors have; nil for the values themselves.
  ///   - gradients: where dLoss/dweight and dLoss/dbias are written; nil if the layer is not trained.
  ///   - output: where the output is written; its gradient is what ``backward()`` starts from.
  ///   - name: the layer's name in a trace, such as "G.0".
  /// - Throws: `KernelError` if a product cannot be planned; `MemoryError`.
  public init(
    _ parameters: Parameters, values: ParameterArena, weights: ProductWeights? = nil,
    gradients: PartialGradients?, input: Signal, activation: ProductActivation = .identity,
    output: Signal, name: String = "linear"
  ) throws {
    names = PassageNames(name)
    let weights = try weights ?? ProductWeights(values)
    self.weights = weights
    self.output = output
    self.activation = activation
    self.values = values
    let weight = weights[parameters.weight]
    forwardProduct = try ActivatedProduct(
      input.value, times: weight, plus: values.matrix(parameters.bias), activation: activation,
      into: output.value)
    guard let outputGradient = output.gradient else {
      (parameterGradients, inputGradientProduct) = ([], nil)
      return
    }
    let lastRows = input.value.rows - outputGradient.rows..<input.value.rows
    parameterGradients =
      try gradients?.nodes.map {
        try LinearGradient(
          $0, parameters, outputGradient: outputGradient, input: input.value.rows(lastRows),
          weights.precision)
      } ?? []
    inputGradientProduct = try input.gradient.map {
      try PlainProduct(outputGradient, times: weight, into: $0)
    }
  }

  /// output = activation(input * weightᵀ + bias).
  public func forward() {
    Timeline.record(.passage, names.forward) { forwardProduct.run() }
  }

  /// With dy = dLoss/doutput, which becomes the gradient before the activation:
  /// dweight = dyᵀ * input, dbias = Σ rows of dy, dinput = dy * weight. Gradients are overwritten.
  public func backward() {
    Timeline.record(.passage, names.backward) { backpropagate() }
  }

  private func backpropagate() {
    guard let gradient = output.gradient else { return }
    switch activation {
    case .identity: break
    case .leakyReLU(let slope):
      VectorMath.leakyReLUBackward(gradient, output: output.differentiableValue, slope: slope)
    case .tanh: VectorMath.tanhBackward(gradient, output: output.differentiableValue)
    }
    for gradient in parameterGradients { gradient.run() }
    inputGradientProduct?.run()
  }
}

/// Gradients of weight and bias for one node of the batch's tree.
private final class LinearGradient {
  private let product: TreeProduct
  private let outputGradient: Matrix
  private let node: PartialGradients.Node
  /// The stack of the bias gradient's sums; its lowest place is the gradient itself.
  private let biasSums: [Matrix]
  private let workspace = Workspace()

  init(
    _ node: PartialGradients.Node, _ parameters: Linear.Parameters,
    outputGradient: Matrix, input: Matrix, _ precision: Precision
  ) throws {
    self.node = node
    self.outputGradient = outputGradient
    product = try TreeProduct(
      outputGradient, times: input, precision, blocks: node.rows, order: node.order,
      into: node.arena.matrix(parameters.weight))
    var sums = [node.arena.matrix(parameters.bias)]
    while sums.count < node.order.depth {
      sums.append(try workspace.matrix(rows: 1, columns: outputGradient.columns))
    }
    biasSums = sums
  }

  func run() {
    product.run()
    node.order.walk { shard, place in
      VectorMath.columnSums(outputGradient.rows(node.rows[shard]), into: biasSums[place])
    } add: { place in
      VectorMath.add(biasSums[place + 1], to: biasSums[place])
    }
  }
}

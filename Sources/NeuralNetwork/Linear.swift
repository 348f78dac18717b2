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
  /// The input and dLoss/doutput as products read them.
  private let input: ProductInput
  private let outputGradient: ProductInput?
  private let forwardProduct: MatrixProduct
  private let parameterGradients: [LinearGradient]
  private let inputGradientProduct: MatrixProduct?
  private let workspace = Workspace()

  /// Plans the layer for the rows of `input`.
  ///
  /// - Parameters:
  ///   - weights: the values as products read them, whose precision all factors have; nil for the values themselves.
  ///   - gradients: where dLoss/dweight and dLoss/dbias are written; nil if the layer is not trained.
  ///   - output: where the output is written; its gradient is what ``backward()`` starts from.
  ///   - blocks: rows that stay together for any number of ranks; nil if bits may depend on that number.
  ///   - name: the layer's name in a trace, such as "G.0".
  /// - Throws: `OneDNNError` if a product cannot be planned.
  public init(
    _ parameters: Parameters, values: ParameterArena, weights: ProductWeights? = nil,
    gradients: PartialGradients?, input: Signal, activation: ProductActivation = .identity,
    output: Signal, blocks: [Range<Int>]? = nil, name: String = "linear"
  ) throws {
    names = PassageNames(name)
    let weights = weights ?? ProductWeights(values)
    let (weight, precision) = (weights[parameters.weight], weights.precision)
    self.weights = weights
    self.output = output
    self.activation = activation
    self.values = values
    let inputValue = ProductInput(input.value, precision, in: workspace)
    self.input = inputValue
    outputGradient = output.gradient.map { [workspace] in
      ProductInput($0, precision, in: workspace)
    }
    forwardProduct = try MatrixProduct(
      .plain(inputValue), times: .transposed(weight), plus: values.matrix(parameters.bias),
      activation: activation, into: output.value, blocks: blocks)
    guard let outputGradient else {
      (parameterGradients, inputGradientProduct) = ([], nil)
      return
    }
    let lastRows = input.value.rows - outputGradient.matrix.rows..<input.value.rows
    parameterGradients =
      try gradients?.nodes.map {
        try LinearGradient(
          $0, parameters, outputGradient: outputGradient, input: inputValue.rows(lastRows))
      } ?? []
    inputGradientProduct = try input.gradient.map {
      try MatrixProduct(
        .plain(outputGradient), times: .plain(weight), into: $0,
        blocks: blocks?.filter(lastRows.contains).map {
          $0.lowerBound - lastRows.lowerBound..<$0.upperBound - lastRows.lowerBound
        })
    }
  }

  /// output = activation(input * weightᵀ + bias).
  /// - Throws: `OneDNNError`.
  public func forward() throws {
    try Timeline.record(.passage, names.forward) {
      input.round()
      try forwardProduct.run()
    }
  }

  /// With dy = dLoss/doutput, which becomes the gradient before the activation:
  /// dweight = dyᵀ * input, dbias = Σ rows of dy, dinput = dy * weight. Gradients are overwritten.
  /// - Throws: `OneDNNError`.
  public func backward() throws {
    try Timeline.record(.passage, names.backward) { try backpropagate() }
  }

  private func backpropagate() throws {
    guard let outputGradient else { return }
    switch activation {
    case .identity: break
    case .leakyReLU(let slope):
      VectorMath.leakyReLUBackward(
        outputGradient.matrix, output: output.differentiableValue, slope: slope)
    case .tanh: VectorMath.tanhBackward(outputGradient.matrix, output: output.differentiableValue)
    }
    outputGradient.round()
    for gradient in parameterGradients { try gradient.run() }
    try inputGradientProduct?.run()
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
    outputGradient: ProductInput, input: ProductInput
  ) throws {
    self.node = node
    self.outputGradient = outputGradient.matrix
    product = try TreeProduct(
      outputGradient, times: input, blocks: node.rows, order: node.order,
      into: node.arena.matrix(parameters.weight))
    var sums = [node.arena.matrix(parameters.bias)]
    while sums.count < node.order.depth {
      sums.append(workspace.matrix(rows: 1, columns: outputGradient.matrix.columns))
    }
    biasSums = sums
  }

  func run() throws {
    try product.run()
    node.order.walk { shard, place in
      VectorMath.columnSums(outputGradient.rows(node.rows[shard]), into: biasSums[place])
    } add: { place in
      VectorMath.add(biasSums[place + 1], to: biasSums[place])
    }
  }
}

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
  private let activation: ProductActivation
  private let arenas: (values: ParameterArena, gradients: ParameterArena?)
  private let forwardProduct: MatrixProduct
  private let weightGradientProduct: MatrixProduct?
  private let biasGradient: Matrix?
  private let inputGradientProduct: MatrixProduct?

  /// Plans the layer for the rows of `input`.
  ///
  /// - Parameters:
  ///   - gradients: where dLoss/dweight and dLoss/dbias are written; nil if the layer is not trained.
  ///   - output: where the output is written; its gradient is what ``backward()`` starts from.
  /// - Throws: `OneDNNError` if a product cannot be planned.
  public init(
    _ parameters: Parameters, values: ParameterArena, gradients: ParameterArena?, input: Signal,
    activation: ProductActivation = .identity, output: Signal
  ) throws {
    let weight = values.matrix(parameters.weight)
    self.output = output
    self.activation = activation
    arenas = (values, gradients)
    forwardProduct = try MatrixProduct(
      .plain(input.value), times: .transposed(weight), plus: values.matrix(parameters.bias),
      activation: activation, into: output.value)
    if let gradients, let outputGradient = output.gradient {
      weightGradientProduct = try MatrixProduct(
        .transposed(outputGradient), times: .plain(input.value),
        into: gradients.matrix(parameters.weight))
      biasGradient = gradients.matrix(parameters.bias)
    } else {
      (weightGradientProduct, biasGradient) = (nil, nil)
    }
    if let inputGradient = input.gradient, let outputGradient = output.gradient {
      inputGradientProduct = try MatrixProduct(
        .plain(outputGradient), times: .plain(weight), into: inputGradient)
    } else {
      inputGradientProduct = nil
    }
  }

  /// output = activation(input * weightᵀ + bias).
  /// - Throws: `OneDNNError`.
  public func forward() throws {
    try forwardProduct.run()
  }

  /// With dy = dLoss/doutput, which becomes the gradient before the activation:
  /// dweight = dyᵀ * input, dbias = Σ rows of dy, dinput = dy * weight. Gradients are overwritten.
  /// - Throws: `OneDNNError`.
  public func backward() throws {
    guard let outputGradient = output.gradient else { return }
    switch activation {
    case .identity: break
    case .leakyReLU(let slope):
      VectorMath.leakyReLUBackward(outputGradient, output: output.value, slope: slope)
    case .tanh: VectorMath.tanhBackward(outputGradient, output: output.value)
    }
    if let weightGradientProduct, let biasGradient {
      try weightGradientProduct.run()
      VectorMath.columnSums(outputGradient, into: biasGradient)
    }
    try inputGradientProduct?.run()
  }
}

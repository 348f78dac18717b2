import Matrices
import NeuralNetwork

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

  /// Whether units are dropped.
  public enum Mode: Sendable {
    case training
    case inference
  }

  /// `[rows, 1]`; its gradient is what ``backward()`` starts from.
  public let logits: Signal
  private let hiddenLayers: [(linear: Linear, dropout: Dropout)]
  private let outputLayer: Linear
  private let workspace = Workspace()

  /// Plans D for the rows of `images`.
  ///
  /// - Parameters:
  ///   - weights: the parameters as products read them; nil for the parameters themselves.
  ///   - gradients: where the gradients of this rank's rows are written; nil if D is not trained by this pass.
  ///   - images: `[rows, pixels]`; where it has a gradient, ``backward()`` writes dLoss/dimages.
  ///   - name: what the pass is called in a trace.
  public init(
    _ parameters: Parameters, _ architecture: Architecture, state: NetworkState,
    weights: ProductWeights? = nil, gradients: PartialGradients?, images: Signal,
    dropout probability: Double,
    name: String = "D"
  ) throws {
    let rows = images.value.rows
    let differentiableRows = gradients != nil || images.gradient != nil ? rows : nil
    let hiddenCount = parameters.linears.count - 1
    var signal = images
    var hiddenLayers: [(Linear, Dropout)] = []
    for (index, linearParameters) in parameters.linears[..<hiddenCount].enumerated() {
      let linear = try Linear(
        linearParameters, values: state.parameters, weights: weights,
        gradients: gradients, input: signal,
        activation: .leakyReLU(slope: architecture.leakyReLUSlope),
        output: try Signal(
          rows: rows, features: linearParameters.outputSize,
          differentiableRows: differentiableRows, in: workspace),
        name: "\(name).\(3 * index)")
      let dropout = try Dropout(linear.output, probability: probability, workspace: workspace)
      hiddenLayers.append((linear, dropout))
      signal = linear.output
    }
    self.hiddenLayers = hiddenLayers
    logits = try Signal(
      rows: rows, features: 1, differentiableRows: differentiableRows, in: workspace)
    outputLayer = try Linear(
      parameters.linears[hiddenCount], values: state.parameters, weights: weights,
      gradients: gradients, input: signal, output: logits,
      name: "\(name).\(3 * hiddenCount)")
  }

  /// Draws the dropout masks of some rows; `stream` is the first layer's, the next layers' follow.
  public func drawMasks(
    rows: Range<Int>, from random: RandomSource, stream: UInt32, step: Int, firstSample: Int
  ) {
    for (index, layer) in hiddenLayers.enumerated() {
      layer.dropout.draw(
        rows: rows, from: random, stream: stream + UInt32(index), step: step,
        firstSample: firstSample)
    }
  }

  /// logits = D(images). In training the masks must have been drawn.
  public func forward(_ mode: Mode) {
    for layer in hiddenLayers {
      layer.linear.forward()
      if mode == .training { layer.dropout.forward() }
    }
    outputLayer.forward()
  }

  /// The gradients of this rank's rows, from dLoss/dlogits.
  public func backward() {
    outputLayer.backward()
    for layer in hiddenLayers.reversed() {
      layer.dropout.backward()
      layer.linear.backward()
    }
  }
}

import Matrices
import NeuralNetwork

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

  /// `[rows, noiseSize]`, to be filled before ``forward(_:)``.
  public let noise: Matrix
  /// `[rows, pixels]`; its gradient, where there is one, is what ``backward()`` starts from.
  public let images: Signal
  private let state: NetworkState
  private let passes: Int
  private let hiddenLayers: [(linear: Linear, norm: BatchNorm)]
  private let outputLayer: Linear
  private let workspace = Workspace()

  /// Plans G for the rows of `images`.
  ///
  /// - Parameters:
  ///   - weights: the parameters as products read them; nil for the parameters themselves.
  ///   - gradients: where the gradients of this rank's rows are written; nil for a pass without ``backward()``.
  ///   - images: where the images are written. Their gradient may be of the last rows only: then the layers' are, too.
  ///   - passes: how many batches are stacked in the rows, each normalised by its own statistics.
  ///   - batch: the global batch that the rows of a pass are a part of. Every rank must make the same passes.
  public init(
    _ parameters: Parameters, _ architecture: Architecture, state: NetworkState,
    weights: ProductWeights? = nil, gradients: PartialGradients?, images: Signal, passes: Int = 1,
    batch: DistributedBatch
  ) throws {
    let rows = images.value.rows
    self.images = images
    self.state = state
    self.passes = passes
    noise = try workspace.matrix(rows: rows, columns: architecture.noiseSize)
    var signal = Signal(value: noise, gradient: nil)
    var hiddenLayers: [(Linear, BatchNorm)] = []
    for (index, norm) in parameters.norms.enumerated() {
      let linear = try Linear(
        parameters.linears[index], values: state.parameters, weights: weights,
        gradients: gradients, input: signal,
        output: try Signal(
          rows: rows, features: parameters.linears[index].outputSize,
          differentiableRows: images.gradient?.rows, in: workspace),
        name: "G.\(3 * index)")
      let batchNorm = try BatchNorm(
        norm, values: state.parameters, buffers: state.buffers, gradients: gradients,
        input: linear.output, passes: passes, slope: architecture.leakyReLUSlope, batch: batch,
        name: "G.\(3 * index + 1)", workspace: workspace)
      hiddenLayers.append((linear, batchNorm))
      signal = batchNorm.output
    }
    self.hiddenLayers = hiddenLayers
    outputLayer = try Linear(
      parameters.linears[parameters.norms.count], values: state.parameters, weights: weights,
      gradients: gradients, input: signal, activation: .tanh, output: images,
      name: "G.\(3 * parameters.norms.count)")
  }

  /// images = G(noise). In training every rank must call this, also one without rows.
  public func forward(_ mode: BatchNorm.Mode) throws {
    for layer in hiddenLayers {
      layer.linear.forward()
      try layer.norm.forward(mode)
    }
    outputLayer.forward()
    if mode == .training { state.batchesTracked += passes }
  }

  /// The gradients of this rank's rows, from dLoss/dimages. Every rank must call this.
  public func backward() throws {
    outputLayer.backward()
    for layer in hiddenLayers.reversed() {
      try layer.norm.backward()
      layer.linear.backward()
    }
  }
}

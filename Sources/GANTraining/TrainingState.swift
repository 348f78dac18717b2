import Matrices
import NeuralNetwork

/// Parameters and buffers of one network: all that inference needs.
public final class NetworkState {
  public let parameters: ParameterArena
  /// Running statistics of BatchNorm.
  public let buffers: ParameterArena
  /// Training batches that have moved the running statistics (PyTorch's `num_batches_tracked`).
  public internal(set) var batchesTracked = 0

  public init(_ layout: ParameterLayout, buffers bufferLayout: ParameterLayout = ParameterLayout())
  {
    parameters = ParameterArena(layout)
    buffers = ParameterArena(bufferLayout)
  }
}

/// All that training carries from step to step; the same bits on every rank.
public final class TrainingState {
  public let architecture: Architecture
  public let generatorParameters: Generator.Parameters
  public let discriminatorParameters: Discriminator.Parameters
  public let generator: NetworkState
  public let discriminator: NetworkState
  public let generatorOptimizer: Adam
  public let discriminatorOptimizer: Adam
  /// Global steps taken, over all epochs.
  public internal(set) var step = 0

  /// The state before the first step: initial weights drawn from the seed, moments zero.
  public init(_ architecture: Architecture, adam: Adam.Settings, random: RandomSource) {
    self.architecture = architecture
    generatorParameters = Generator.Parameters(architecture)
    discriminatorParameters = Discriminator.Parameters(architecture)
    generator = NetworkState(generatorParameters.layout, buffers: generatorParameters.bufferLayout)
    discriminator = NetworkState(discriminatorParameters.layout)
    generatorParameters.initialize(generator, from: random)
    discriminatorParameters.initialize(discriminator, from: random)
    generatorOptimizer = Adam(generator.parameters, settings: adam)
    discriminatorOptimizer = Adam(discriminator.parameters, settings: adam)
  }
}

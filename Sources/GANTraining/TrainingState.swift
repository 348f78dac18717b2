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

  /// Sets the counters to those after so many steps; the tensors are the caller's business.
  func resume(atStep step: Int) {
    self.step = step
    generatorOptimizer.resume(atStep: step)
    discriminatorOptimizer.resume(atStep: step)
    generator.batchesTracked = TrainingStep.generatorPasses * step
  }

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

/// One tensor of the state, by its name in a checkpoint.
public struct NamedTensor {
  /// Such as "generator.0.weight" or "optimizer_g.exp_avg.0.weight".
  public let name: String
  public let shape: [Int]
  /// The tensor itself, not a copy; it lives as long as the state.
  public let values: UnsafeMutableBufferPointer<Float>
}

extension TrainingState {
  /// Every tensor: parameters and running statistics of G and D in the order of the notebook's `nn.Sequential`, then the moments.
  public var tensors: [NamedTensor] {
    tensors("generator.", generator) + tensors("discriminator.", discriminator)
      + tensors("optimizer_g.exp_avg.", generatorOptimizer.firstMoments)
      + tensors("optimizer_g.exp_avg_sq.", generatorOptimizer.secondMoments)
      + tensors("optimizer_d.exp_avg.", discriminatorOptimizer.firstMoments)
      + tensors("optimizer_d.exp_avg_sq.", discriminatorOptimizer.secondMoments)
  }

  /// The arenas that hold all tensors.
  public var arenas: [ParameterArena] {
    [
      generator.parameters, generator.buffers, generatorOptimizer.firstMoments,
      generatorOptimizer.secondMoments, discriminator.parameters,
      discriminatorOptimizer.firstMoments, discriminatorOptimizer.secondMoments,
    ]
  }

  private func tensors(_ prefix: String, _ network: NetworkState) -> [NamedTensor] {
    // A module's buffers follow its parameters, as in PyTorch's state_dict.
    func module(_ tensor: NamedTensor) -> Int {
      Int(tensor.name.dropFirst(prefix.count).prefix { $0 != "." }) ?? 0
    }
    let parameters = tensors(prefix, network.parameters)
    let buffers = tensors(prefix, network.buffers)
    let modules = Set(parameters.map(module)).sorted()
    return modules.flatMap { index in
      (parameters + buffers).filter { module($0) == index }
    }
  }

  private func tensors(_ prefix: String, _ arena: ParameterArena) -> [NamedTensor] {
    arena.layout.entries.map { entry in
      NamedTensor(name: prefix + entry.name, shape: entry.shape, values: arena.tensor(entry))
    }
  }
}

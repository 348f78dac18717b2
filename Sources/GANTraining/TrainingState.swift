import Collectives
import NeuralNetwork
import Randomness

/// Parameters and buffers of one network: all that inference needs.
public final class NetworkState {
  public let parameters: ParameterArena
  /// Running statistics of BatchNorm.
  public let buffers: ParameterArena
  /// Training batches that have moved the running statistics (PyTorch's `num_batches_tracked`).
  public internal(set) var batchesTracked = 0

  /// Tensors that a host's ranks share. Every rank must call this.
  /// - Throws: what the collective throws.
  public init(
    _ layout: ParameterLayout, buffers bufferLayout: ParameterLayout = ParameterLayout(),
    over collective: any Collective = SoloCollective()
  ) throws {
    parameters = try ParameterArena(layout, over: collective)
    buffers = try ParameterArena(bufferLayout, over: collective)
  }
}

/// All that training carries from step to step: once a host, where its ranks share memory; the same bits on every host.
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

  /// The state before the first step: initial weights drawn from the seed, moments zero. Every rank must call this;
  /// others see it after the next exchange.
  /// - Throws: what the collective throws.
  public init(
    _ architecture: Architecture, adam: Adam.Settings, random: RandomSource,
    over collective: any Collective = SoloCollective()
  ) throws {
    self.architecture = architecture
    generatorParameters = Generator.Parameters(architecture)
    discriminatorParameters = Discriminator.Parameters(architecture)
    generator = try NetworkState(
      generatorParameters.layout, buffers: generatorParameters.bufferLayout, over: collective)
    discriminator = try NetworkState(discriminatorParameters.layout, over: collective)
    generatorOptimizer = try Adam(generator.parameters, settings: adam, over: collective)
    discriminatorOptimizer = try Adam(discriminator.parameters, settings: adam, over: collective)
    guard collective.topology.isLeader else { return }
    generatorParameters.initializeBuffers(generator)
    generatorParameters.initialize(generator, from: random)
    discriminatorParameters.initialize(discriminator, from: random)
  }
}

/// One tensor of the state, by its name in a checkpoint.
public struct NamedTensor {
  /// Such as "generator.0.weight" or "optimizer_g.exp_avg.0.weight".
  public let name: String
  public let shape: [Int]
  /// The tensor itself, not a copy; it lives as long as the state.
  public let values: UnsafeMutableBufferPointer<Float>

  /// Whether its numbers may be below 0: variances and means of squares are not.
  var mayBeNegative: Bool { !name.hasSuffix(".running_var") && !name.contains(".exp_avg_sq.") }
}

extension TrainingState {
  /// Every tensor: parameters and running statistics of G and D in the order of the notebook's `nn.Sequential`, then
  /// the moments.
  public var tensors: [NamedTensor] {
    tensors("generator.", generator) + tensors("discriminator.", discriminator)
      + tensors("optimizer_g.exp_avg.", generatorOptimizer.firstMoments)
      + tensors("optimizer_g.exp_avg_sq.", generatorOptimizer.secondMoments)
      + tensors("optimizer_d.exp_avg.", discriminatorOptimizer.firstMoments)
      + tensors("optimizer_d.exp_avg_sq.", discriminatorOptimizer.secondMoments)
  }

  /// All arenas.
  public var arenas: [ParameterArena] {
    [(generator, generatorOptimizer), (discriminator, discriminatorOptimizer)].flatMap {
      [$0.parameters, $0.buffers, $1.firstMoments, $1.secondMoments]
    }
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

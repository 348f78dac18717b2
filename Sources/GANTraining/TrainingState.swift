import Matrices
import NeuralNetwork

/// Parameters and buffers of one network: all that inference needs.
public final class NetworkState {
  public let parameters: ParameterArena
  /// Running statistics of BatchNorm.
  public let buffers: ParameterArena
  /// Training batches that have moved the running statistics (PyTorch's `num_batches_tracked`).
  public internal(set) var batchesTracked = 0

  /// Where the parameters are kept, and what Adam knows of them. Buffers are each rank's own: all of them move theirs.
  let replicas: any Replicas

  /// - Throws: `MemoryError`.
  public init(
    _ layout: ParameterLayout, buffers bufferLayout: ParameterLayout = ParameterLayout(),
    in replicas: any Replicas = PrivateReplicas()
  ) throws {
    self.replicas = replicas
    parameters = try ParameterArena(layout, in: replicas)
    buffers = try ParameterArena(bufferLayout)
  }

  /// Memory for the parameters of a network, their moments, and the copy that products read. Every rank must call this.
  /// - Parameter name: what the exchange is called in which ranks wait for each other's updates.
  /// - Throws: what the collective throws.
  static func makeReplicas(
    of layout: ParameterLayout, _ precision: Precision, name: String,
    over collective: any Collective
  ) throws -> any Replicas {
    let copy = precision == .float32 ? 0 : (2 * layout.extent + 63) / 64 * 64
    return try collective.makeReplicas(
      name: name, byteCount: 3 * layout.extent * MemoryLayout<Float>.stride + copy)
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

  /// The state before the first step: initial weights drawn from the seed, moments zero. Every rank must call this.
  /// - Throws: `MemoryError`, or what the collective throws.
  public init(
    _ architecture: Architecture, adam: Adam.Settings, random: RandomSource,
    precision: Precision = .float32, over collective: any Collective = SoloCollective()
  ) throws {
    self.architecture = architecture
    let generatorParameters = Generator.Parameters(architecture)
    let discriminatorParameters = Discriminator.Parameters(architecture)
    (self.generatorParameters, self.discriminatorParameters) = (
      generatorParameters, discriminatorParameters
    )
    let generator = try NetworkState(
      generatorParameters.layout, buffers: generatorParameters.bufferLayout,
      in: try NetworkState.makeReplicas(
        of: generatorParameters.layout, precision, name: "G.update", over: collective))
    let discriminator = try NetworkState(
      discriminatorParameters.layout,
      in: try NetworkState.makeReplicas(
        of: discriminatorParameters.layout, precision, name: "D.update", over: collective))
    (self.generator, self.discriminator) = (generator, discriminator)
    generatorOptimizer = try Adam(generator.parameters, settings: adam, in: generator.replicas)
    discriminatorOptimizer = try Adam(
      discriminator.parameters, settings: adam, in: discriminator.replicas)
    generatorParameters.initializeBuffers(generator)
    try generator.replicas.write { generatorParameters.initialize(generator, from: random) }
    try discriminator.replicas.write {
      discriminatorParameters.initialize(discriminator, from: random)
    }
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
  /// Every tensor: parameters and running statistics of G and D in the order of the notebook's `nn.Sequential`, then the moments.
  public var tensors: [NamedTensor] {
    tensors("generator.", generator) + tensors("discriminator.", discriminator)
      + tensors("optimizer_g.exp_avg.", generatorOptimizer.firstMoments)
      + tensors("optimizer_g.exp_avg_sq.", generatorOptimizer.secondMoments)
      + tensors("optimizer_d.exp_avg.", discriminatorOptimizer.firstMoments)
      + tensors("optimizer_d.exp_avg_sq.", discriminatorOptimizer.secondMoments)
  }

  /// The arenas of each network that ranks of a host may have in common, and by what they have it.
  public var sharedArenas: [(replicas: any Replicas, arenas: [ParameterArena])] {
    [(generator, generatorOptimizer), (discriminator, discriminatorOptimizer)].map {
      ($0.replicas, [$0.parameters, $1.firstMoments, $1.secondMoments])
    }
  }

  /// The arenas that every rank has for itself.
  public var ownArenas: [ParameterArena] { [generator.buffers, discriminator.buffers] }

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

import Collectives
import Matrices
import VectorKernels

/// Adam over one network's arena (Kingma and Ba, 2015, algorithm 1; PyTorch's `optim.Adam`).
///
///     m = β1 m + (1 - β1) g        v = β2 v + (1 - β2) g²
///     parameter -= η / (1 - β1ᵗ) * m / (√v / √(1 - β2ᵗ) + ε)
///
/// Owners of outputs update their own, as soon as they have a gradient: there is no array of all gradients.
public final class Adam {
  /// The hyperparameters, by their usual names.
  public struct Settings: Equatable, Sendable, Codable {
    /// η.
    public var learningRate: Double
    public var beta1: Double
    public var beta2: Double
    /// ε, added after the bias-corrected square root.
    public var epsilon: Double

    public init(
      learningRate: Double = 1e-4, beta1: Double = 0.5, beta2: Double = 0.999,
      epsilon: Double = 1e-8
    ) {
      self.learningRate = learningRate
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
    }
  }

  public let settings: Settings
  /// Steps taken, t.
  public private(set) var stepCount = 0
  /// m.
  public let firstMoments: ParameterArena
  /// v.
  public let secondMoments: ParameterArena
  fileprivate let parameters: ParameterArena
  /// What the step's instructions read.
  fileprivate let constants: UnsafeMutablePointer<AdamStep>
  /// Of each thread of this rank: whether a gradient of this step was not finite.
  fileprivate let nonFinite: UnsafeMutableBufferPointer<Bool>

  /// Every rank must call this.
  /// - Throws: what the collective throws.
  public init(
    _ parameters: ParameterArena, settings: Settings, over collective: any Collective
  ) throws {
    self.parameters = parameters
    self.settings = settings
    firstMoments = try ParameterArena(parameters.layout, over: collective)
    secondMoments = try ParameterArena(parameters.layout, over: collective)
    constants = .allocate(capacity: 1)
    constants.initialize(to: AdamStep())
    nonFinite = .allocate(capacity: collective.topology.ownWorkers.count)
    nonFinite.initialize(repeating: false)
  }

  deinit {
    constants.deallocate()
    nonFinite.deallocate()
  }

  /// Sets the counter to `step` steps taken; the moments are the caller's business.
  public func resume(atStep step: Int) { stepCount = step }

  /// Begins the next step: instructions of this optimizer may run after that.
  /// - Parameter rateFactor: what this step's learning rate is multiplied by, as a schedule has it.
  public func beginStep(rateFactor: Double = 1) {
    stepCount += 1
    let (beta1, beta2) = (settings.beta1, settings.beta2)
    constants.pointee = AdamStep(
      firstWeight: Float(1 - beta1), secondDecay: Float(beta2), secondWeight: Float(1 - beta2),
      stepSize: Float(
        rateFactor * settings.learningRate / (1 - VectorMath.power(beta1, stepCount))),
      secondCorrection: Float(1 / (1 - VectorMath.power(beta2, stepCount)).squareRoot()),
      epsilon: Float(settings.epsilon))
    nonFinite.update(repeating: false)
  }

  /// Whether all gradients that this rank has used in the step were finite; if not, the parameters no longer are.
  public var isFinite: Bool {
    for flag in nonFinite where flag { return false }
    return true
  }
}

extension InstructionList {
  private struct Update: BitwiseCopyable {
    let constants: UnsafePointer<AdamStep>
    let gradients: UnsafePointer<Float>
    let count: Int
    let parameters, firstMoments, secondMoments: UnsafeMutablePointer<Float>
    let rounded: UnsafeMutablePointer<UInt16>?
    let nonFinite: UnsafeMutablePointer<Bool>
  }

  /// Updates some parameters by their gradients.
  /// - Parameters:
  ///   - gradients: `[count]`.
  ///   - offset: of the first parameter in the arena.
  ///   - rounded: the arena's copy in bfloat16, if there is one.
  public func adam(
    _ optimizer: Adam, gradients: UnsafePointer<Float>, at offset: Int, count: Int,
    rounded: UnsafeMutablePointer<UInt16>?
  ) {
    func place(_ arena: ParameterArena) -> UnsafeMutablePointer<Float> {
      arena.values.baseAddress! + offset
    }
    append(
      .update,
      Update(
        constants: optimizer.constants, gradients: gradients, count: count,
        parameters: place(optimizer.parameters), firstMoments: place(optimizer.firstMoments),
        secondMoments: place(optimizer.secondMoments), rounded: rounded.map { $0 + offset },
        nonFinite: optimizer.nonFinite.baseAddress! + thread)
    ) { operands, _ in
      let it = operands.assumingMemoryBound(to: Update.self).pointee
      let isFinite = VectorMath.kernels.pointee.adam(
        it.constants.pointee, it.gradients, it.count, it.parameters, it.firstMoments,
        it.secondMoments, it.rounded)
      if !isFinite { it.nonFinite.pointee = true }
    }
  }
}

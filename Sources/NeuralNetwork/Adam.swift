import Matrices

/// Adam over one network's arena (Kingma and Ba, 2015, algorithm 1; PyTorch's `optim.Adam`).
///
///     m = β1 m + (1 - β1) g        v = β2 v + (1 - β2) g²
///     parameter -= η / (1 - β1ᵗ) * m / (√v / √(1 - β2ᵗ) + ε)
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
  private let parameters: ParameterArena

  /// - Parameter replicas: where the moments are kept.
  /// - Throws: `MemoryError`.
  public init(
    _ parameters: ParameterArena, settings: Settings, in replicas: any Replicas = PrivateReplicas()
  ) throws {
    self.parameters = parameters
    self.settings = settings
    firstMoments = try ParameterArena(parameters.layout, in: replicas)
    secondMoments = try ParameterArena(parameters.layout, in: replicas)
  }

  /// Sets the counter to `step` steps taken; the moments are the caller's business.
  public func resume(atStep step: Int) { stepCount = step }

  /// Updates the parameters by the global gradients, `[layout.extent]`.
  /// - Parameters:
  ///   - share: which of them; nil for all.
  ///   - rounded: where their copies in bfloat16 are, if there are any.
  /// - Returns: whether these gradients were finite; if not, the parameters no longer are.
  public func update(
    by gradients: ParameterArena, share: Range<Int>? = nil,
    rounding rounded: UnsafeMutablePointer<UInt16>? = nil
  ) -> Bool {
    precondition(gradients.layout == parameters.layout, "gradients of another network")
    stepCount += 1
    guard let gradient = gradients.values.baseAddress, let value = parameters.values.baseAddress,
      let first = firstMoments.values.baseAddress, let second = secondMoments.values.baseAddress
    else { return true }
    let share = share ?? 0..<parameters.values.count
    let begin = share.lowerBound
    return VectorMath.adam(
      step: stepCount, learningRate: settings.learningRate, beta1: settings.beta1,
      beta2: settings.beta2, epsilon: settings.epsilon, count: share.count,
      gradients: gradient + begin, parameters: value + begin, firstMoments: first + begin,
      secondMoments: second + begin, rounded: rounded.map { $0 + begin })
  }
}

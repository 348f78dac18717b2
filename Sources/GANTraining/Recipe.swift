/// A set of options under one name. It sets nothing that an option could not set.
public enum Recipe: String, CaseIterable, Sendable {
  /// The notebook's training: the default of every option.
  case notebook
  /// Better images than the notebook's in a fifth of its time.
  case fast
  /// The notebook's time, and better images.
  case best

  public var epochs: Int { self == .fast ? 20 : 100 }
  /// Adam's, at the beginning.
  public var learningRate: Double { self == .notebook ? 1e-4 : 1e-3 }
  public var learningRateDecay: LearningRateDecay { self == .notebook ? .none : .linear }
}

import Matrices

/// A network's parameters as products read them: the arena itself, or copies of it in another precision.
///
/// The arena stays what is trained: small updates would be lost in bfloat16 numbers.
public final class ProductWeights {
  public let precision: Precision
  /// The arena's numbers in bfloat16, at the same places; nil for float32.
  public let rounded: UnsafeMutablePointer<UInt16>?
  /// By the places of the weight matrices.
  private var factors: [Int: WeightFactor] = [:]
  private let workspace = Workspace()
  private let arena: ParameterArena
  private let replicas: any Replicas

  /// - Parameter replicas: where the copy is kept that Adam writes.
  /// - Throws: `MemoryError`.
  public init(
    _ arena: ParameterArena, _ precision: Precision = .float32,
    in replicas: any Replicas = PrivateReplicas()
  ) throws {
    self.replicas = replicas
    self.arena = arena
    self.precision = precision
    rounded =
      try precision == .float32
      ? nil : replicas.take(UInt16.self, count: arena.values.count).baseAddress
    for entry in arena.layout.entries where entry.shape.count == 2 {
      let matrix = arena.matrix(entry)
      factors[entry.offset] =
        try rounded.map { try WeightFactor(matrix, rounded: $0 + entry.offset, in: workspace) }
        ?? WeightFactor(matrix)
    }
  }

  /// One weight matrix.
  public subscript(entry: ParameterLayout.Entry) -> WeightFactor {
    guard let factor = factors[entry.offset] else {
      preconditionFailure("\(entry.name) is no weight matrix")
    }
    return factor
  }

  /// Lets products see what the arena holds now. Every rank writes the same.
  public func round() {
    for factor in factors.values { factor.round() }
  }

  /// Completes what Adam has written to ``rounded``.
  public func pairUp() {
    for factor in factors.values { factor.pairUp() }
  }
}

import Collectives
import Matrices

/// A network's parameters as products read them: the arena itself, or copies of it in another precision.
///
/// The arena stays what is trained: small updates would be lost in bfloat16 numbers.
public final class ProductWeights {
  public let precision: Precision
  public let arena: ParameterArena
  /// The arena's numbers in bfloat16, at the same places; nil for float32.
  public let rounded: UnsafeMutablePointer<UInt16>?
  /// By the places of the weight matrices.
  private var factors: [Int: WeightFactor] = [:]

  /// The parameters themselves.
  public init(_ arena: ParameterArena) {
    (self.arena, precision, rounded) = (arena, .float32, nil)
    for entry in arena.layout.entries where entry.shape.count == 2 {
      factors[entry.offset] = WeightFactor(arena.matrix(entry))
    }
  }

  /// Copies are kept once a host. Every rank must call this.
  /// - Throws: what the collective throws.
  public init(
    _ arena: ParameterArena, _ precision: Precision, over collective: any Collective
  ) throws {
    (self.arena, self.precision) = (arena, precision)
    let matrices = arena.layout.entries.filter { $0.shape.count == 2 }
    guard precision == .bfloat16 else {
      rounded = nil
      for entry in matrices { factors[entry.offset] = WeightFactor(arena.matrix(entry)) }
      return
    }
    let rounded = try collective.makeNumbers(
      of: UInt16.self, count: arena.values.count, for: "weights in bfloat16"
    ).baseAddress!
    self.rounded = rounded
    for entry in matrices {
      let pairs = try collective.makeNumbers(
        of: UInt32.self, count: (entry.shape[0] + 1) / 2 * entry.shape[1],
        for: "weights in bfloat16")
      factors[entry.offset] = WeightFactor(
        arena.matrix(entry), rounded: rounded + entry.offset, pairs: pairs.baseAddress!)
    }
  }

  /// One weight matrix.
  public subscript(entry: ParameterLayout.Entry) -> WeightFactor {
    guard let factor = factors[entry.offset] else {
      preconditionFailure("\(entry.name) is no weight matrix")
    }
    return factor
  }

  /// Lets products see what the arena holds now; one rank of a host does it, and then all meet.
  public func round() {
    for factor in factors.values { factor.round() }
  }
}

import Matrices

/// A network's parameters as products read them: the arena itself, or a copy of it in another precision.
///
/// The arena stays what is trained: small updates would be lost in bfloat16 numbers.
public final class ProductWeights {
  public let precision: Precision
  /// The whole arena in one row.
  let input: ProductInput
  private let arena: ParameterArena
  private let workspace = Workspace()

  public init(_ arena: ParameterArena, _ precision: Precision = .float32) {
    self.arena = arena
    self.precision = precision
    let row = Matrix(
      elements: arena.values.baseAddress!, rows: 1, columns: max(arena.values.count, 1))
    input = ProductInput(row, precision, in: workspace)
  }

  /// One tensor.
  public subscript(entry: ParameterLayout.Entry) -> ProductInput {
    input.part(arena.matrix(entry))
  }

  /// Lets products see what the arena holds now. Adam does so itself.
  public func round() { input.round() }
}

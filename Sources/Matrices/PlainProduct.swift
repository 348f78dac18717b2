/// `result = left * right`: the gradient of a layer's input. Planned once for fixed memory and run in every step.
public final class PlainProduct {
  private let program: ProductProgram
  private let workspace = Workspace()

  /// Plans `result[rows, columns]` from `left[rows, inner]` and `right[inner, columns]`.
  ///
  /// - Throws: ``KernelError``, `MemoryError`.
  public init(_ left: Matrix, times right: WeightFactor, into result: Matrix) throws {
    let (rows, columns) = (left.rows, right.matrix.columns)
    precondition(
      right.matrix.rows == left.columns && result.rows == rows && result.columns == columns)
    let rowTiles = Cut.pieces(of: 0..<rows, size: Cut.rows)
    var phases: [[[ProductStep]]] = []
    var leftFactor = LeftFactor(
      address: left.elements, precision: .float32, step: left.columns)
    var inner = left.columns
    if right.precision == .bfloat16 {
      // What makes the last pair whole stays zero.
      inner += inner % 2
      let rounded = try workspace.zeros(of: UInt16.self, count: rows * inner).baseAddress!
      phases.append(ProductStep.rounding(left, into: rounded, step: inner))
      leftFactor = LeftFactor(address: rounded, precision: .bfloat16, step: inner)
    }
    let factors = ProductFactors(left: leftFactor, right: right.asRight)
    phases.append(
      try Cut.forThreads(Cut.columns(columns)).map { columnTiles in
        try columnTiles.flatMap { columnTile in
          try rowTiles.flatMap { rowTile in
            try factors.multiply(
              rows: rowTile, inner: 0..<inner, columns: columnTile,
              into: Tile(result, rows: rowTile, columns: columnTile))
          }
        }
      })
    program = ProductProgram(phases: rows == 0 ? [] : phases)
  }

  /// Computes the product.
  public func run() { program.run() }
}

/// `result = activation(left * rightᵀ + bias)`: a layer's output. Planned once for fixed memory and run in every step.
///
/// Kernels compute its transpose, `right * leftᵀ`: so they read the weights as they lie, and only the few rows of
/// left and result are transposed.
public final class ActivatedProduct {
  private let program: ProductProgram
  private let workspace = Workspace()

  /// Plans `result[rows, columns]` from `left[rows, inner]` and `right[columns, inner]`.
  ///
  /// - Parameter bias: `[1, columns]`.
  /// - Throws: ``KernelError``, `MemoryError`.
  public init(
    _ left: Matrix, times right: WeightFactor, plus bias: Matrix,
    activation: ProductActivation = .identity, into result: Matrix
  ) throws {
    let (rows, inner, columns) = (left.rows, left.columns, right.matrix.rows)
    precondition(
      right.matrix.columns == inner && result.rows == rows && result.columns == columns
        && bias.count == columns)
    let rowTiles = Cut.columns(rows)
    var phases: [[[ProductStep]]] = []

    // leftᵀ, as the right factor of a kernel; of bfloat16 numbers, the pairs of a row are neighbours already.
    var words = UnsafeRawPointer(left.elements)
    var wordsOfRow = inner
    if right.precision == .bfloat16 {
      precondition(inner.isMultiple(of: 2), "bfloat16 numbers come in pairs")
      let rounded = try workspace.zeros(of: UInt16.self, count: left.count).baseAddress!
      phases.append(ProductStep.rounding(left, into: rounded, step: inner))
      (words, wordsOfRow) = (UnsafeRawPointer(rounded), inner / 2)
    }
    let transposed = try workspace.matrix(rows: wordsOfRow, columns: max(rows, 1))
    phases.append(
      try Transposition(
        words: words, step: wordsOfRow, result: transposed.elements, resultStep: transposed.columns
      ).pieces(rows: rows, columns: wordsOfRow))
    let factors = ProductFactors(
      left: right.asLeft,
      right: RightFactor(
        address: transposed.elements, precision: right.precision, step: transposed.columns))

    let transposedResult = try workspace.matrix(rows: columns, columns: max(rows, 1))
    let back = Transposition(
      words: transposedResult.elements, step: transposedResult.columns, result: result.elements,
      resultStep: columns)
    let columnTiles = Cut.pieces(of: 0..<columns, size: Cut.rows)
    phases.append(
      try Cut.forThreads(columnTiles).map { columnTiles in
        var steps: [ProductStep] = []
        for columnTile in columnTiles {
          for rowTile in rowTiles {
            steps += try factors.multiply(
              rows: columnTile, inner: 0..<inner, columns: rowTile,
              into: Tile(transposedResult, rows: columnTile, columns: rowTile))
          }
        }
        let columns = columnTiles.first!.lowerBound..<columnTiles.last!.upperBound
        for columns in Cut.pieces(of: columns, size: Transposition.tileRows) {
          steps.append(
            .activate(
              Tile(transposedResult, rows: columns, columns: 0..<rows),
              bias: bias.elements + columns.lowerBound, activation))
          steps += try back.steps(rows: columns, columns: 0..<rows)
        }
        return steps
      })
    program = ProductProgram(phases: rows == 0 ? [] : phases)
  }

  /// Computes the product.
  public func run() { program.run() }
}

/// A layer's output.
extension InstructionList {
  /// `output = activation(input * weightᵀ + bias)` for some rows.
  ///
  /// Kernels compute its transpose, `weight * inputᵀ`: so they read the weights as they lie, and only the few rows of
  /// input and output are transposed. Rows that lie apart go through one product.
  ///
  /// - Parameters:
  ///   - parts: `input[rows, inner]` and `output[rows, columns]`; each input row with an output row.
  ///   - weight: `[columns, inner]`.
  ///   - bias: `[1, columns]`.
  /// - Throws: ``KernelError``, `MemoryError`.
  public func activatedProduct(
    _ parts: [(input: Matrix, output: Matrix)], times weight: WeightFactor, plus bias: Matrix,
    activation: ProductActivation = .identity
  ) throws {
    let parts = parts.filter { $0.input.rows > 0 }
    let (inner, columns) = (weight.matrix.columns, weight.matrix.rows)
    let rows = parts.reduce(0) { $0 + $1.input.rows }
    precondition(
      bias.count == columns
        && parts.allSatisfy {
          $0.input.columns == inner && $0.output.columns == columns
            && $0.input.rows == $0.output.rows
        })
    guard rows > 0 else { return }

    // inputᵀ, as the right factor of a kernel; of bfloat16 numbers, the pairs of a row are neighbours already.
    let isRounded = weight.precision == .bfloat16
    precondition(!isRounded || inner.isMultiple(of: 2), "bfloat16 numbers come in pairs")
    let wordsOfRow = isRounded ? inner / 2 : inner
    let transposed = try workspace.matrix(rows: wordsOfRow, columns: rows)
    var begin = 0
    for part in parts {
      var words = UnsafeRawPointer(part.input.elements)
      if isRounded {
        let rounded = try workspace.zeros(of: UInt16.self, count: part.input.count).baseAddress!
        round(part.input.elements, count: part.input.count, into: rounded)
        words = UnsafeRawPointer(rounded)
      }
      try transpose(
        words, rows: part.input.rows, columns: wordsOfRow, stride: wordsOfRow,
        into: transposed.elements + begin, resultStride: rows)
      begin += part.input.rows
    }

    let right = RightFactor(
      address: transposed.elements, precision: weight.precision, stride: rows)
    let result = try workspace.matrix(rows: columns, columns: rows)
    for columns in Cut.pieces(of: 0..<columns, size: Cut.rows) {
      for rows in Cut.columns(rows) {
        try multiply(
          weight.asLeft, rows: columns, right, columns: rows, inner: 0..<inner,
          into: result.tile(columns, rows))
      }
      activate(
        result.tile(columns, 0..<rows), bias: bias.elements + columns.lowerBound, activation)
      var begin = 0
      for part in parts {
        try transpose(
          result.elements + columns.lowerBound * rows + begin, rows: columns.count,
          columns: part.output.rows, stride: rows, into: part.output.elements + columns.lowerBound,
          resultStride: part.output.columns)
        begin += part.output.rows
      }
    }
    endVectors()
  }
}

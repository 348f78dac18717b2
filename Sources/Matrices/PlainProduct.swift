/// The gradient of a layer's input.
extension InstructionList {
  /// `result[rows, columns] = left[rows, inner] * weight[inner, columns]`.
  /// - Throws: ``KernelError``, `MemoryError`.
  public func plainProduct(
    _ left: Matrix, times weight: WeightFactor, into result: Matrix
  ) throws {
    let (rows, columns) = (left.rows, weight.matrix.columns)
    precondition(
      weight.matrix.rows == left.columns && result.rows == rows && result.columns == columns)
    guard rows > 0 else { return }
    var leftFactor = LeftFactor(address: left.elements, precision: .float32, stride: left.columns)
    var inner = left.columns
    if weight.precision == .bfloat16 {
      // What makes the last pair whole stays zero.
      inner += inner % 2
      let rounded = try workspace.zeros(of: UInt16.self, count: rows * inner).baseAddress!
      for row in 0..<rows {
        round(
          left.elements + row * left.columns, count: left.columns, into: rounded + row * inner)
      }
      leftFactor = LeftFactor(address: rounded, precision: .bfloat16, stride: inner)
    }
    for columns in Cut.columns(columns) {
      for rows in Cut.pieces(of: 0..<rows, size: Cut.rows) {
        try multiply(
          leftFactor, rows: rows, weight.asRight, columns: columns, inner: 0..<inner,
          into: result.tile(rows, columns))
      }
    }
    endVectors()
  }
}

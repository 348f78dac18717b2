/// How a part `[rows, columns]` of a matrix of 32-bit words becomes `[columns, rows]`.
struct Transposition {
  let words: UnsafeRawPointer
  /// From row to row, in words.
  let step: Int
  let result: UnsafeMutableRawPointer
  let resultStep: Int

  // The size at which libxsmm's kernels are fastest.
  static let tileRows = 64
  private static let tileColumns = 16
  private static let wordSize = 4

  /// - Throws: ``KernelError``.
  func steps(rows: Range<Int>, columns: Range<Int>) throws -> [ProductStep] {
    try Cut.pieces(of: columns, size: Self.tileColumns).flatMap { columns in
      try Cut.pieces(of: rows, size: Self.tileRows).map { rows in
        .transpose(
          try TransposeKernel(
            rows: rows.count, columns: columns.count, step: step, resultStep: resultStep),
          words + (rows.lowerBound * step + columns.lowerBound) * Self.wordSize,
          into: result + (columns.lowerBound * resultStep + rows.lowerBound) * Self.wordSize)
      }
    }
  }

  /// All of `[rows, columns]`: a piece a thread.
  /// - Throws: ``KernelError``.
  func pieces(rows: Int, columns: Int) throws -> [[ProductStep]] {
    try Cut.forThreads(Cut.pieces(of: 0..<columns, size: Self.tileColumns)).map { parts in
      try parts.flatMap { try steps(rows: 0..<rows, columns: $0) }
    }
  }
}

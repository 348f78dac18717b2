/// The rows of a matrix as weight gradients read them in bfloat16: two neighbouring rows in words of 32 bits,
/// `[pairs, columns]`. A pass with an odd number of rows ends with a row of zeros.
public struct PairedRows: BitwiseCopyable {
  public let words: UnsafeMutablePointer<UInt32>
  public let columns: Int
  /// Rows of a pass.
  public let rowsOfPass: Int

  /// - Parameter words: zeros, ``wordCount(passes:rowsOfPass:columns:)`` of them.
  public init(words: UnsafeMutablePointer<UInt32>, columns: Int, rowsOfPass: Int) {
    (self.words, self.columns, self.rowsOfPass) = (words, columns, rowsOfPass)
  }

  public static func wordCount(passes: Int, rowsOfPass: Int, columns: Int) -> Int {
    passes * ((rowsOfPass + 1) / 2) * columns
  }

  public var pairsOfPass: Int { (rowsOfPass + 1) / 2 }

  /// Where the pairs of a pass begin.
  public func pass(_ pass: Int) -> UnsafeMutablePointer<UInt32> {
    words + pass * pairsOfPass * columns
  }

  /// The pairs that rows of a pass are in; they begin with the first of a pair.
  public static func pairs(_ rows: Range<Int>) -> Range<Int> {
    (rows.lowerBound + 1) / 2..<(rows.upperBound + 1) / 2
  }
}

extension InstructionList {
  /// Rounds rows of a pass of `matrix[passes * rowsOfPass, columns]` and pairs them up.
  public func pair(_ matrix: Matrix, rows: Range<Int>, ofPass pass: Int, into paired: PairedRows) {
    for row in stride(from: rows.lowerBound, to: rows.upperBound, by: 2) {
      let first = matrix.elements + (pass * paired.rowsOfPass + row) * matrix.columns
      roundPair(
        first, row + 1 < paired.rowsOfPass ? first + matrix.columns : nil, count: matrix.columns,
        into: paired.pass(pass) + row / 2 * matrix.columns)
    }
  }
}

/// A dense row-major view `[rows, columns]` of float32 numbers that a ``Workspace`` or an arena owns.
///
/// Copying a view copies no numbers and counts no references, so that a step can pass views freely. The
/// price: a view is valid only as long as its owner lives. Layers keep their owners; a function that makes a
/// workspace of its own ends with `withExtendedLifetime`.
public struct Matrix: BitwiseCopyable {
  public let elements: UnsafeMutablePointer<Float>
  public let rows: Int
  public let columns: Int

  public init(elements: UnsafeMutablePointer<Float>, rows: Int, columns: Int) {
    precondition(rows >= 0 && columns > 0, "a matrix of \(rows) x \(columns)")
    self.elements = elements
    self.rows = rows
    self.columns = columns
  }

  public var count: Int { rows * columns }

  /// The rows of `range` as a view of the same numbers, `[range.count, columns]`.
  public func rows(_ range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return Matrix(
      elements: elements + range.lowerBound * columns, rows: range.count, columns: columns)
  }

  /// All numbers, row after row.
  public var buffer: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: elements, count: count)
  }

  public subscript(row: Int, column: Int) -> Float {
    get { elements[row * columns + column] }
    nonmutating set { elements[row * columns + column] = newValue }
  }

  /// A part of it.
  func tile(_ rows: Range<Int>, _ columns: Range<Int>) -> Tile {
    Tile(
      elements: elements + rows.lowerBound * self.columns + columns.lowerBound,
      stride: self.columns, rows: rows.count, columns: columns.count)
  }
}

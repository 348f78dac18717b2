/// The left factor `[rows, inner]` of a product, as kernels read it.
struct LeftFactor {
  let address: UnsafeRawPointer
  let precision: Precision
  /// From row to row in memory, in numbers.
  let stride: Int
  /// Whether memory has `[inner, rows]`.
  var isTransposed = false

  func at(row: Int, inner: Int) -> UnsafeRawPointer {
    address + (isTransposed ? inner * stride + row : row * stride + inner) * precision.byteCount
  }
}

/// The right factor `[inner, columns]` of a product, as kernels read it.
///
/// Of bfloat16 numbers, rows 2i and 2i + 1 are interleaved: a word of 32 bits has two numbers of a column, which the
/// processor multiplies and adds up in one instruction.
struct RightFactor {
  let address: UnsafeRawPointer
  let precision: Precision
  /// From row to row in memory, in numbers; with bfloat16 from pair to pair of rows, in words.
  let stride: Int

  func at(inner: Int, column: Int) -> UnsafeRawPointer {
    let row = precision == .float32 ? inner : inner / 2
    return address + (row * stride + column) * 4
  }
}

/// How products are cut.
///
/// Every number of a product of float32 is one chain of multiply-adds from the first to the last
/// of `inner`, however the product is cut: so it has the same bits whatever rows are beside it,
/// and for any number of threads. With AVX2 and later a multiply-add is one instruction and
/// rounds once; before, it is two and rounds twice.
enum Cut {
  /// Rows of a tile: whole groups of six, whose sums fill AVX-512's registers, and enough of them for a call to be
  /// worth its while.
  static let rows = 96

  /// A range in pieces of `size`, the last one with what is left.
  static func pieces(of range: Range<Int>, size: Int) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: size).map {
      $0..<min($0 + size, range.upperBound)
    }
  }

  /// Numbers of a tile's row at most: four of AVX-512's vectors.
  static let mostColumns = 64

  /// `0 ..< extent` in pieces of at most four vectors, none of a single one if it can be helped.
  static func columns(_ extent: Int) -> [Range<Int>] {
    let vector = 16
    let most = mostColumns / vector
    let vectors = (extent + vector - 1) / vector
    let count = (vectors + most - 1) / most
    return (0..<count).map {
      vectors * $0 / count * vector..<min(vectors * ($0 + 1) / count * vector, extent)
    }
  }

  /// `0 ..< extent` for results whose rows are as long: whole groups of four vectors in one piece, and the rest as
  /// ``columns(_:)`` cuts it. A kernel then writes long rows, and is called less often.
  static func wideColumns(_ extent: Int) -> [Range<Int>] {
    let rest = extent % mostColumns
    // No piece of a single vector, if it can be helped.
    let narrow = rest == 0 ? 0 : rest > 16 ? rest : min(rest + mostColumns, extent)
    let wide = extent - narrow
    return (wide == 0 ? [] : [0..<wide])
      + columns(narrow).map { wide + $0.lowerBound..<wide + $0.upperBound }
  }

  /// What a kernel adds up before sums are stored for a while: more is faster, as long as factors are cached.
  ///
  /// For the smallest tiles, AVX-512 kernels of one vector have several sums under way and add them up in the end:
  /// there, one product (or pair) is added at a time.
  static func inner(
    _ inner: Range<Int>, rows: Int, columns: Int, _ precision: Precision
  ) -> [Range<Int>] {
    let isSmallest = columns <= 16 && rows < 12
    return pieces(of: inner, size: !isSmallest ? 1024 : precision == .float32 ? 1 : 2)
  }
}

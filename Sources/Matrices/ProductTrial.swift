import VectorKernels

/// Small products of whole numbers, which are exact in whatever order they are summed.
enum ProductTrial {
  private static let rows = 13
  private static let inner = 6
  private static let columns = 37

  /// Makes code of each kind that this processor is to run, runs it and compares.
  static func passes() -> Bool {
    guard (try? transposes()) == true, loopsAgree() else { return false }
    for leftIsTransposed in [false, true] {
      for accumulates in [false, true] {
        guard (try? multiplies(leftIsTransposed, accumulates)) == true else { return false }
      }
    }
    return Processor.instructionSet < .avx512BF16 || (try? multipliesBFloat16()) == true
  }

  private static func left(_ row: Int, _ inner: Int) -> Int { (row * 5 + inner * 3) % 11 - 5 }
  private static func right(_ inner: Int, _ column: Int) -> Int { (inner * 7 + column) % 9 - 4 }

  private static func product(_ row: Int, _ column: Int) -> Int {
    (0..<inner).reduce(0) { $0 + left(row, $1) * right($1, column) }
  }

  private static func multiplies(_ leftIsTransposed: Bool, _ accumulates: Bool) throws -> Bool {
    let leftStride = leftIsTransposed ? rows : inner
    var leftFactor = [Float](repeating: 0, count: rows * inner)
    for row in 0..<rows {
      for inner in 0..<inner {
        leftFactor[leftIsTransposed ? inner * leftStride + row : row * leftStride + inner] =
          Float(left(row, inner))
      }
    }
    let rightFactor = (0..<inner * columns).map { Float(right($0 / columns, $0 % columns)) }
    var result = [Float](repeating: 1, count: rows * columns)
    try leftFactor.withUnsafeBytes { leftBytes in
      try rightFactor.withUnsafeBytes { rightBytes in
        let (leftAddress, rightAddress) = (leftBytes.baseAddress!, rightBytes.baseAddress!)
        try MultiplyKernel(
          rows: rows, inner: inner, columns: columns,
          left: LeftFactor(
            address: leftAddress, precision: .float32, stride: leftStride,
            isTransposed: leftIsTransposed),
          right: RightFactor(address: rightAddress, precision: .float32, stride: columns),
          resultStride: columns, accumulates: accumulates
        ).run(leftAddress, rightAddress, &result)
      }
    }
    return result.indices.allSatisfy {
      result[$0] == Float(product($0 / columns, $0 % columns) + (accumulates ? 1 : 0))
    }
  }

  /// A small whole number as a bfloat16 number, which it is exactly.
  private static func bfloat16(_ number: Int) -> UInt32 { Float(number).bitPattern >> 16 }

  private static func multipliesBFloat16() throws -> Bool {
    let leftFactor = (0..<rows * inner).map { UInt16(bfloat16(left($0 / inner, $0 % inner))) }
    let rightFactor = (0..<inner / 2 * columns).map { place in
      let (first, column) = (place / columns * 2, place % columns)
      return bfloat16(right(first, column)) | bfloat16(right(first + 1, column)) << 16
    }
    var result = [Float](repeating: 1, count: rows * columns)
    try leftFactor.withUnsafeBytes { leftBytes in
      try rightFactor.withUnsafeBytes { rightBytes in
        let (leftAddress, rightAddress) = (leftBytes.baseAddress!, rightBytes.baseAddress!)
        try MultiplyKernel(
          rows: rows, inner: inner, columns: columns,
          left: LeftFactor(address: leftAddress, precision: .bfloat16, stride: inner),
          right: RightFactor(address: rightAddress, precision: .bfloat16, stride: columns),
          resultStride: columns, accumulates: false
        ).run(leftAddress, rightAddress, &result)
      }
    }
    return result.indices.allSatisfy { result[$0] == Float(product($0 / columns, $0 % columns)) }
  }

  private static func transposes() throws -> Bool {
    let words = (0..<UInt32(rows * columns)).map { $0 }
    var result = words
    try TransposeKernel(rows: rows, columns: columns, stride: columns, resultStride: rows)
      .run(words, &result)
    return result.indices.allSatisfy { result[$0] == UInt32($0 % rows * columns + $0 / rows) }
  }

  /// Our own loops: the chosen build against the one that every processor runs.
  private static func loopsAgree() -> Bool {
    let address = RandomAddress(keyLow: 1, keyHigh: 2, stream: 3, step: 4)
    func normals(_ kernels: VectorKernelTable) -> [Float] {
      var numbers = [Float](repeating: 0, count: 100)
      kernels.randomNormals(address, 0, 1, numbers.count, &numbers)
      return numbers
    }
    return normals(VectorMath.kernels.pointee) == normals(VectorMath.builds[0].pointee)
  }
}

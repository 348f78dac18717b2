import CXSMM

/// Machine code for `result = left * right`, or `result += left * right`, of fixed sizes and steps.
struct MultiplyKernel: BitwiseCopyable {
  // libxsmm keeps its code as long as the process lives.
  private let code: UnsafeRawPointer

  /// - Throws: ``KernelError``.
  init(
    rows: Int, inner: Int, columns: Int, left: LeftFactor, right: RightFactor, resultStep: Int,
    accumulates: Bool
  ) throws {
    precondition(left.precision == right.precision)
    let isBFloat16 = left.precision == .bfloat16
    precondition(!isBFloat16 || inner.isMultiple(of: 2), "bfloat16 numbers come in pairs")
    let code = xsmmMultiplyKernel(
      Int32(rows), Int32(columns), Int32(inner), Int32(left.step), Int32(right.step),
      Int32(resultStep), left.isTransposed, accumulates, isBFloat16)
    guard let code else {
      throw KernelError(
        kernel: "\(left.precision) products [\(rows), \(inner)] * [\(inner), \(columns)]")
    }
    self.code = code
  }

  @inline(__always)
  func run(
    _ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ result: UnsafeMutablePointer<Float>
  ) {
    xsmmMultiply(code, left, right, result)
  }
}

/// Machine code that turns `[rows, columns]` words of 32 bits into `[columns, rows]`.
struct TransposeKernel: BitwiseCopyable {
  private let code: UnsafeRawPointer
  private let step, resultStep: UInt32

  /// - Parameters:
  ///   - step: from row to row, in words.
  ///   - resultStep: the same of the result.
  /// - Throws: ``KernelError``.
  init(rows: Int, columns: Int, step: Int, resultStep: Int) throws {
    (self.step, self.resultStep) = (UInt32(step), UInt32(resultStep))
    let code = xsmmTransposeKernel(UInt32(rows), UInt32(columns), UInt32(resultStep))
    guard let code else { throw KernelError(kernel: "transposing [\(rows), \(columns)]") }
    self.code = code
  }

  @inline(__always)
  func run(_ words: UnsafeRawPointer, _ result: UnsafeMutableRawPointer) {
    xsmmTranspose(code, words, step, result, resultStep)
  }
}

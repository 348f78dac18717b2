import CXSMM
import VectorKernels

/// A product `result = left * right`, or `result += left * right`, of fixed sizes and strides:
/// machine code of libxsmm, or where it makes none for the processor, our own loop.
struct MultiplyKernel: BitwiseCopyable {
  private enum Code: BitwiseCopyable {
    // libxsmm keeps its code as long as the process lives, and we keep shapes so.
    case made(UnsafeRawPointer)
    case loop(UnsafePointer<ProductShape>)
  }
  private let code: Code

  /// - Throws: ``KernelError``.
  init(
    rows: Int, inner: Int, columns: Int, left: LeftFactor, right: RightFactor, resultStride: Int,
    accumulates: Bool
  ) throws {
    precondition(left.precision == right.precision)
    let isBFloat16 = left.precision == .bfloat16
    precondition(!isBFloat16 || inner.isMultiple(of: 2), "bfloat16 numbers come in pairs")
    guard XSMM.multiplies || isBFloat16 else {
      let shape = UnsafeMutablePointer<ProductShape>.allocate(capacity: 1)
      shape.initialize(
        to: ProductShape(
          rows: rows, columns: columns, inner: inner, leftStride: left.stride,
          rightStride: right.stride, resultStride: resultStride,
          leftIsTransposed: left.isTransposed, accumulates: accumulates))
      code = .loop(shape)
      return
    }
    guard XSMM.multiplies, XSMM.isPrepared,
      let made = xsmmMultiplyKernel(
        Int32(rows), Int32(columns), Int32(inner), Int32(left.stride), Int32(right.stride),
        Int32(resultStride), left.isTransposed, accumulates, isBFloat16)
    else {
      throw KernelError(
        kernel: "\(left.precision) products [\(rows), \(inner)] * [\(inner), \(columns)]")
    }
    code = .made(made)
  }

  @inline(__always)
  func run(
    _ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ result: UnsafeMutablePointer<Float>
  ) {
    switch code {
    case .made(let code): xsmmMultiply(code, left, right, result)
    case .loop(let shape):
      VectorMath.kernels.pointee.multiplyMatrices(
        shape, left.assumingMemoryBound(to: Float.self), right.assumingMemoryBound(to: Float.self),
        result)
    }
  }
}

/// Turns `[rows, columns]` words of 32 bits into `[columns, rows]`: machine code of libxsmm, or
/// our own loop.
struct TransposeKernel: BitwiseCopyable {
  private let code: UnsafeRawPointer?
  private let rows, columns, stride, resultStride: UInt32

  /// - Parameters:
  ///   - stride: from row to row, in words.
  ///   - resultStride: the same of the result.
  /// - Throws: ``KernelError``.
  init(rows: Int, columns: Int, stride: Int, resultStride: Int) throws {
    (self.rows, self.columns) = (UInt32(rows), UInt32(columns))
    (self.stride, self.resultStride) = (UInt32(stride), UInt32(resultStride))
    guard XSMM.transposes else {
      code = nil
      return
    }
    guard XSMM.isPrepared,
      let made = xsmmTransposeKernel(UInt32(rows), UInt32(columns), UInt32(resultStride))
    else { throw KernelError(kernel: "transposing [\(rows), \(columns)]") }
    code = made
  }

  @inline(__always)
  func run(_ words: UnsafeRawPointer, _ result: UnsafeMutableRawPointer) {
    if let code { return xsmmTranspose(code, words, stride, result, resultStride) }
    VectorMath.kernels.pointee.transpose(
      words.assumingMemoryBound(to: UInt32.self), Int(rows), Int(columns), Int(stride),
      result.assumingMemoryBound(to: UInt32.self), Int(resultStride))
  }
}

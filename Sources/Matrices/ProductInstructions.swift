import VectorKernels

/// A part of a matrix `[rows, columns]` in memory.
struct Tile: BitwiseCopyable {
  let elements: UnsafeMutablePointer<Float>
  /// From row to row, in numbers.
  let stride: Int
  let rows, columns: Int
}

/// What a product does to each number before it is stored.
public enum ProductActivation: Sendable, Equatable, BitwiseCopyable {
  /// x
  case identity
  /// x > 0 ? x : slope * x
  case leakyReLU(slope: Float)
  /// The hyperbolic tangent of x.
  case tanh
}

/// The instructions that products are made of.
extension InstructionList {
  private struct Multiplication: BitwiseCopyable {
    let kernel: MultiplyKernel
    let left, right: UnsafeRawPointer
    let result: UnsafeMutablePointer<Float>
  }

  /// `tile = left[rows, inner] * right[inner, columns]`, or `+=`: each number one chain of multiply-adds in the order
  /// of `inner`.
  /// - Throws: ``KernelError``.
  func multiply(
    _ left: LeftFactor, rows: Range<Int>, _ right: RightFactor, columns: Range<Int>,
    inner: Range<Int>, into tile: Tile, accumulates: Bool = false
  ) throws {
    precondition(tile.rows == rows.count && tile.columns == columns.count)
    for part in Cut.inner(inner, rows: rows.count, columns: columns.count, left.precision) {
      let kernel = try MultiplyKernel(
        rows: rows.count, inner: part.count, columns: columns.count, left: left, right: right,
        resultStride: tile.stride, accumulates: accumulates || part.lowerBound > inner.lowerBound)
      append(
        .product,
        Multiplication(
          kernel: kernel, left: left.at(row: rows.lowerBound, inner: part.lowerBound),
          right: right.at(inner: part.lowerBound, column: columns.lowerBound), result: tile.elements
        )
      ) { operands, _ in
        let it = operands.assumingMemoryBound(to: Multiplication.self)
        it.pointee.kernel.run(it.pointee.left, it.pointee.right, it.pointee.result)
      }
    }
  }

  /// Ends a product: what follows may be ordinary code.
  func endVectors() {
    append(.product, 0) { _, _ in VectorMath.kernels.pointee.endVectors() }
  }

  private struct Transposing: BitwiseCopyable {
    let kernel: TransposeKernel
    let words: UnsafeRawPointer
    let result: UnsafeMutableRawPointer
  }

  // The size at which the kernels are fastest.
  static let transposedRows = 64
  private static let transposedColumns = 16

  /// `[rows, columns]` words of 32 bits become `[columns, rows]`.
  /// - Parameters:
  ///   - stride: from row to row, in words.
  ///   - resultStride: the same of the result.
  /// - Throws: ``KernelError``.
  func transpose(
    _ words: UnsafeRawPointer, rows: Int, columns: Int, stride: Int,
    into result: UnsafeMutableRawPointer, resultStride: Int
  ) throws {
    let wordSize = 4
    for columns in Cut.pieces(of: 0..<columns, size: Self.transposedColumns) {
      for rows in Cut.pieces(of: 0..<rows, size: Self.transposedRows) {
        append(
          .product,
          Transposing(
            kernel: try TransposeKernel(
              rows: rows.count, columns: columns.count, stride: stride, resultStride: resultStride),
            words: words + (rows.lowerBound * stride + columns.lowerBound) * wordSize,
            result: result + (columns.lowerBound * resultStride + rows.lowerBound) * wordSize)
        ) { operands, _ in
          let it = operands.assumingMemoryBound(to: Transposing.self)
          it.pointee.kernel.run(it.pointee.words, it.pointee.result)
        }
      }
    }
  }

  private struct Activating: BitwiseCopyable {
    let tile: Tile
    let bias: UnsafePointer<Float>
    let activation: ProductActivation
  }

  /// Each number x of row r becomes activation(x + bias[r]).
  func activate(_ tile: Tile, bias: UnsafePointer<Float>, _ activation: ProductActivation) {
    append(.product, Activating(tile: tile, bias: bias, activation: activation)) { operands, _ in
      let it = operands.assumingMemoryBound(to: Activating.self).pointee
      let (tile, kernels) = (it.tile, VectorMath.kernels)
      switch it.activation {
      case .identity:
        kernels.pointee.addBias(tile.elements, tile.stride, tile.rows, tile.columns, it.bias)
      case .leakyReLU(let slope):
        kernels.pointee.addBiasLeakyReLU(
          tile.elements, tile.stride, tile.rows, tile.columns, it.bias, slope)
      case .tanh:
        kernels.pointee.addBiasTanh(tile.elements, tile.stride, tile.rows, tile.columns, it.bias)
      }
    }
  }

  private struct Rounding: BitwiseCopyable {
    let first: UnsafePointer<Float>
    let second: UnsafePointer<Float>?
    let count: Int
    let result: UnsafeMutableRawPointer
  }

  /// The nearest bfloat16 numbers.
  func round(_ values: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<UInt16>)
  {
    append(.product, Rounding(first: values, second: nil, count: count, result: result)) {
      operands, _ in
      let it = operands.assumingMemoryBound(to: Rounding.self).pointee
      VectorMath.kernels.pointee.roundToBFloat16(
        it.first, it.count, it.result.assumingMemoryBound(to: UInt16.self))
    }
  }

  /// The nearest bfloat16 numbers of two rows, in words of both; zeros for a row that is not there.
  func roundPair(
    _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>?, count: Int,
    into result: UnsafeMutablePointer<UInt32>
  ) {
    append(.product, Rounding(first: first, second: second, count: count, result: result)) {
      operands, _ in
      let it = operands.assumingMemoryBound(to: Rounding.self).pointee
      VectorMath.kernels.pointee.roundPairToBFloat16(
        it.first, it.second, it.count, it.result.assumingMemoryBound(to: UInt32.self))
    }
  }

  private struct Addition: BitwiseCopyable {
    let source: UnsafePointer<Float>
    let target: UnsafeMutablePointer<Float>
    let count: Int
  }

  /// target += source.
  func add(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int) {
    append(.sum, Addition(source: source, target: target, count: count)) { operands, _ in
      let it = operands.assumingMemoryBound(to: Addition.self).pointee
      VectorMath.kernels.pointee.add(it.target, it.source, it.count)
    }
  }
}

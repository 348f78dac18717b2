import VectorKernels

/// A part of a matrix `[rows, columns]` in memory.
struct Tile: BitwiseCopyable {
  let elements: UnsafeMutablePointer<Float>
  /// From row to row, in numbers.
  let step: Int
  let rows, columns: Int

  init(elements: UnsafeMutablePointer<Float>, step: Int, rows: Int, columns: Int) {
    (self.elements, self.step, self.rows, self.columns) = (elements, step, rows, columns)
  }

  init(_ matrix: Matrix, rows: Range<Int>, columns: Range<Int>) {
    self.init(
      elements: matrix.elements + rows.lowerBound * matrix.columns + columns.lowerBound,
      step: matrix.columns, rows: rows.count, columns: columns.count)
  }
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

/// What a thread does at a time.
enum ProductStep: BitwiseCopyable {
  case multiply(
    MultiplyKernel, left: UnsafeRawPointer, right: UnsafeRawPointer,
    result: UnsafeMutablePointer<Float>)
  /// target += source.
  case add(Tile, to: Tile)
  /// target = a + b of two matrices, or (a + b) + (c + d) of four; they lie `size` numbers apart, without gaps.
  case sumPairs(UnsafePointer<Float>, size: Int, count: Int, into: Tile)
  /// Each number x of row r becomes activation(x + bias[r]).
  case activate(Tile, bias: UnsafePointer<Float>, ProductActivation)
  case transpose(TransposeKernel, UnsafeRawPointer, into: UnsafeMutableRawPointer)
  /// The nearest bfloat16 numbers.
  case round(UnsafePointer<Float>, count: Int, into: UnsafeMutablePointer<UInt16>)
  /// The same of two rows in words of both; zeros for a row that is not there.
  case roundPair(
    UnsafePointer<Float>, UnsafePointer<Float>?, count: Int, into: UnsafeMutablePointer<UInt32>)

  @inline(__always)
  fileprivate func run(_ kernels: borrowing VectorKernelTable) {
    switch self {
    case .multiply(let kernel, let left, let right, let result): kernel.run(left, right, result)
    case .add(let source, let target):
      kernels.addRows(
        target.elements, target.step, source.elements, source.step, source.rows, source.columns)
    case .sumPairs(let leaves, let size, let count, let target):
      kernels.sumPairs(
        target.elements, target.step, leaves, size, count, target.rows, target.columns)
    case .activate(let tile, let bias, let activation):
      switch activation {
      case .identity:
        kernels.addBias(tile.elements, tile.step, tile.rows, tile.columns, bias)
      case .leakyReLU(let slope):
        kernels.addBiasLeakyReLU(tile.elements, tile.step, tile.rows, tile.columns, bias, slope)
      case .tanh:
        kernels.addBiasTanh(tile.elements, tile.step, tile.rows, tile.columns, bias)
      }
    case .transpose(let kernel, let words, let result): kernel.run(words, result)
    case .round(let values, let count, let result):
      kernels.roundToBFloat16(values, count, result)
    case .roundPair(let first, let second, let count, let result):
      kernels.roundPairToBFloat16(first, second, count, result)
    }
  }
}

extension ProductStep {
  /// The rows of a matrix as bfloat16 numbers, `step` of these from row to row: a piece a thread.
  static func rounding(
    _ matrix: Matrix, into rounded: UnsafeMutablePointer<UInt16>, step: Int
  ) -> [[ProductStep]] {
    Cut.forThreads(Array(0..<matrix.rows)).map { rows in
      rows.map {
        .round(
          matrix.elements + $0 * matrix.columns, count: matrix.columns, into: rounded + $0 * step)
      }
    }
  }
}

/// Steps in a fixed order: phases that follow each other, each cut into pieces that different threads may do.
///
/// A piece is done by one thread from beginning to end. Nothing is allocated when a program runs.
struct ProductProgram: ~Copyable {
  private let steps: UnsafeMutableBufferPointer<ProductStep>
  /// Piece k of all phases is the steps `pieceStarts[k] ..< pieceStarts[k + 1]`.
  private let pieceStarts: UnsafeMutableBufferPointer<Int>
  /// Phase k is the pieces `phaseStarts[k] ..< phaseStarts[k + 1]`.
  private let phaseStarts: UnsafeMutableBufferPointer<Int>

  private struct Context: BitwiseCopyable {
    let steps: UnsafePointer<ProductStep>
    let pieceStarts: UnsafePointer<Int>
  }

  /// - Parameter phases: the pieces of each phase.
  init(phases: [[[ProductStep]]]) {
    func starts(_ counts: [Int]) -> UnsafeMutableBufferPointer<Int> {
      let starts = UnsafeMutableBufferPointer<Int>.allocate(capacity: counts.count + 1)
      starts.initialize(repeating: 0)
      for (index, count) in counts.enumerated() { starts[index + 1] = starts[index] + count }
      return starts
    }
    let pieces = phases.flatMap(\.self)
    let list = pieces.flatMap(\.self)
    steps = .allocate(capacity: max(list.count, 1))
    _ = steps.initialize(from: list)
    pieceStarts = starts(pieces.map(\.count))
    phaseStarts = starts(phases.map(\.count))
  }

  deinit {
    steps.deallocate()
    pieceStarts.deallocate()
    phaseStarts.deallocate()
  }

  func run() {
    Timeline.record(.product) {
      guard let steps = steps.baseAddress, let pieceStarts = pieceStarts.baseAddress else { return }
      for phase in 0..<phaseStarts.count - 1 {
        let pieces = phaseStarts[phase]..<phaseStarts[phase + 1]
        WorkTeam.share(
          { context, begin, end in
            let context = context.assumingMemoryBound(to: Context.self).pointee
            let kernels = VectorMath.kernels
            for step in context.pieceStarts[begin]..<context.pieceStarts[end] {
              context.steps[step].run(kernels.pointee)
            }
          }, of: pieces.count,
          with: Context(steps: steps, pieceStarts: pieceStarts + pieces.lowerBound))
      }
    }
  }
}

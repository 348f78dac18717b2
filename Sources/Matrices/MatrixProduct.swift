/// What a product does to each number before it is stored.
public enum ProductActivation: Sendable, Equatable {
  case identity
  /// x > 0 ? x : slope * x
  case leakyReLU(slope: Float)
  case tanh
}

/// `result = activation(left * right + bias)`, planned once for fixed memory and run in every step.
///
/// oneDNN matmul primitives, one a panel of columns; the number of threads changes no bit.
public final class MatrixProduct {
  /// A factor, read as it lies in memory or transposed.
  public enum Factor {
    case plain(Matrix)
    case transposed(Matrix)

    var operand: Operand {
      switch self {
      case .plain(let matrix): Operand(matrix)
      case .transposed(let matrix): Operand(matrix).transposed
      }
    }
  }

  private let result: Matrix
  private let program: ProductProgram?

  /// Plans `result[m, n] = activation(left[m, k] * right[k, n] + bias[n])`.
  ///
  /// Without rows to multiply (m is 0) nothing is done; with nothing to add up (k is 0) the result is zero.
  /// - Parameter blocks: runs of rows that together are all. The rows of a block then have the bits that they have
  ///   without the other blocks; nil where that does not matter.
  /// - Throws: ``OneDNNError`` if oneDNN cannot plan it.
  public init(
    _ leftFactor: Factor, times rightFactor: Factor, plus bias: Matrix? = nil,
    activation: ProductActivation = .identity, into result: Matrix, blocks: [Range<Int>]? = nil
  ) throws {
    let (left, right) = (leftFactor.operand, rightFactor.operand)
    precondition(
      left.columns == right.rows && left.rows == result.rows && right.columns == result.columns,
      "[\(left.rows), \(left.columns)] * [\(right.rows), \(right.columns)]"
        + " does not give [\(result.rows), \(result.columns)]")
    precondition(bias == nil || (bias!.rows == 1 && bias!.columns == result.columns))
    precondition(bias == nil || left.columns > 0, "a bias needs a product to be added to")
    self.result = result
    guard result.rows > 0 && left.columns > 0 else {
      program = nil
      return
    }
    var probe = BitProbe()
    var pieces: [[ProductProgram.Step]] = []
    for panel in Panels.ranges(of: result.columns) {
      let (factor, part) = (right.columns(panel), Operand(result).columns(panel))
      let ending = ProductEnding(
        bias: bias.map { $0.elements + panel.lowerBound }, activation: activation)
      var runs = [0..<result.rows]
      if let blocks,
        try !probe.rowsAreIndependent(left, factor, into: part, ending, blocks: blocks)
      {
        runs = blocks
      }
      for rows in runs {
        let plan = try ProductPlan(left.rows(rows), factor, into: part.rows(rows), ending: ending)
        pieces.append([.product(plan)])
      }
    }
    program = ProductProgram(pieces: pieces)
  }

  /// Computes the product.
  /// - Throws: ``OneDNNError``.
  public func run() throws {
    if let program {
      try program.run()
    } else {
      result.buffer.update(repeating: 0)
    }
  }
}

/// What a product does to each number before it is stored.
public enum ProductActivation: Sendable, Equatable {
  case identity
  /// x > 0 ? x : slope * x
  case leakyReLU(slope: Float)
  case tanh
}

/// `result = activation(left * right + bias)`, planned once for fixed memory and run in every step.
///
/// oneDNN matmul primitives, one a thread. The factors may be of either ``Precision``; the result is float32.
public final class MatrixProduct {
  /// A factor, read as it lies in memory or transposed.
  public enum Factor {
    case plain(ProductInput)
    case transposed(ProductInput)

    var operand: Operand {
      switch self {
      case .plain(let input): Operand(input)
      case .transposed(let input): Operand(input).transposed
      }
    }
  }

  private let result: Matrix
  private let program: ProductProgram?

  /// Plans `result[m, n] = activation(left[m, k] * right[k, n] + bias[n])`.
  ///
  /// Without rows to multiply (m is 0) nothing is done; with nothing to add up (k is 0) the result is zero.
  /// - Parameter blocks: runs of rows that together are all; nil for one. The rows of a block have the bits that they
  ///   have without the other blocks, and whatever the number of threads.
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
    // Rows of right that are multiples of 2 KiB apart compete for the same few cache lines, unless oneDNN copies them:
    // it does so for parts of the columns.
    let isAliased = right.columnStep == 1 && right.rowStep.isMultiple(of: 512)
    let plain = Panels.ranges(of: result.columns, count: isAliased ? 2 : 1)
    let shared = Panels.ranges(of: result.columns, count: max(WorkTeam.threadCount, plain.count))
    let all = 0..<result.rows
    let blocks = blocks ?? [all]
    // A panel of columns a thread, or a run of rows, or all at once; what changes a bit is not taken.
    var ways: [(rows: [Range<Int>], panels: [Range<Int>])] = [
      ([all], shared), (Self.runs(of: blocks), plain), (blocks, plain),
    ]
    if WorkTeam.threadCount == 1 { ways.remove(at: 1) }
    if blocks.count == 1 && shared.count == plain.count { ways = [(blocks, plain)] }
    func plan(
      _ way: Int, _ left: Operand, _ right: Operand, _ result: Operand
    ) throws -> ProductProgram {
      var pieces: [[ProductProgram.Step]] = []
      for panel in ways[way].panels {
        let ending = ProductEnding(
          bias: bias.map { $0.elements + panel.lowerBound }, activation: activation)
        for rows in ways[way].rows {
          let plan = try ProductPlan(
            left.rows(rows), right.columns(panel), into: result.rows(rows).columns(panel),
            ending: ending)
          pieces.append([.product(plan)])
        }
      }
      return ProductProgram(pieces: pieces)
    }
    let probe = BitProbe(left: left, right: right, result: Operand(result))
    program = try plan(probe.choose(among: ways.count, plan), left, right, Operand(result))
  }

  /// Blocks, or pieces of 16 rows of them, joined to as many runs as there are threads.
  private static func runs(of blocks: [Range<Int>]) -> [Range<Int>] {
    let pieces = blocks.flatMap { block in
      stride(from: block.lowerBound, to: block.upperBound, by: 16).map {
        $0..<min($0 + 16, block.upperBound)
      }
    }
    let count = min(WorkTeam.threadCount, pieces.count)
    return (0..<count).map { run in
      let first = pieces[pieces.count * run / count]
      let last = pieces[pieces.count * (run + 1) / count - 1]
      return first.lowerBound..<last.upperBound
    }
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

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
  /// - Parameter blocks: runs of rows that together are all. The rows of a block then have the bits that they have
  ///   without the other blocks, whatever the number of threads; nil where that does not matter.
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
    let columns = 0..<result.columns
    // All rows at once and a panel of columns a thread; or, as long as that changes no bit, a run of blocks a thread.
    let panels = Panels.ranges(of: result.columns)
    var ways = [(rows: [0..<result.rows], panels: panels)]
    if let blocks {
      let runs = (rows: Self.runs(of: blocks), panels: [columns])
      ways = (panels.count == 1 ? [] : [runs]) + ways + [(blocks, [columns])]
    }
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

  /// Blocks joined to as many runs as there are threads.
  private static func runs(of blocks: [Range<Int>]) -> [Range<Int>] {
    let count = min(WorkTeam.threadCount, blocks.count)
    return (0..<count).map { run in
      let first = blocks[blocks.count * run / count]
      let last = blocks[blocks.count * (run + 1) / count - 1]
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

/// `result = Σ leftᵀ * right over blocks of rows`, the blocks' products added up in a tree's order: planned once
/// for fixed memory and run in every step.
///
/// This is how a weight gradient is made: left is dLoss/doutput, right the layer's input, and a block the rows of
/// one logical shard. The number of threads changes no bit.
public final class TreeProduct {
  private let result: Matrix
  private let program: ProductProgram?
  /// Which way was found to have the plain way's bits: 0 is the fastest, nil for nothing to do.
  let way: Int?
  private let workspace = Workspace()

  /// Plans `result[m, n]` from `left[rows, m]` and `right[rows, n]`.
  /// - Parameters:
  ///   - blocks: rows of each part of the sum, none empty.
  ///   - order: in which the parts are added up.
  /// - Throws: ``OneDNNError`` if oneDNN cannot plan it.
  public init(
    _ left: ProductInput, times right: ProductInput, blocks: [Range<Int>], order: SummationOrder,
    into result: Matrix
  ) throws {
    let (leftFactor, rightFactor) = (Operand(left).transposed, Operand(right))
    precondition(leftFactor.columns == rightFactor.rows && blocks.count == order.partCount)
    precondition(result.rows == leftFactor.rows && result.columns == rightFactor.columns)
    self.result = result
    guard let first = blocks.first, let last = blocks.last else {
      (program, way) = (nil, nil)
      return
    }
    let rows = first.lowerBound..<last.upperBound
    // Place 0 of the stack is the result itself.
    let places = (1..<max(order.depth, 1)).map { [workspace] _ in
      workspace.matrix(rows: result.rows, columns: result.columns)
    }
    // Sums that are added to again stay in the second cache.
    let panels =
      blocks.count > 1
      ? Panels.cached(result.rows, width: result.columns)
      : Panels.ranges(of: result.rows, count: WorkTeam.threadCount)
    // Parts that join the sum below at once save a walk through memory each.
    let ways = [
      Way(panels: panels, mayJoin: true), Way(panels: panels, mayJoin: false),
      Way(panels: [0..<result.rows], mayJoin: false),
    ]
    // oneDNN's faster kernels take a left factor only where its rows lie end to end: a panel of it is copied.
    let panelMemory = workspace.zeros(
      of: UInt8.self,
      count: panels.count == 1 ? 0 : rows.count * result.rows * leftFactor.precision.byteCount
    ).baseAddress!
    let packedBlocks = blocks.map {
      $0.lowerBound - rows.lowerBound..<$0.upperBound - rows.lowerBound
    }
    func plan(
      _ way: Int, _ left: Operand, _ right: Operand, _ result: Operand
    ) throws -> ProductProgram {
      let stack = [result] + places.map { Operand($0) }
      return ProductProgram(
        pieces: try ways[way].panels.map { panel in
          let stack = stack.map { $0.rows(panel) }
          let mayJoin = ways[way].mayJoin
          guard panel.count < left.rows else {
            return try Self.steps(left, right, blocks, order, stack: stack, mayJoin: mayJoin)
          }
          let spread = left.rows(panel).columns(rows)
          let offset = panel.lowerBound * rows.count * left.precision.byteCount
          let packed = spread.packed(in: panelMemory + offset)
          return [.copy(spread, to: packed)]
            + (try Self.steps(
              packed, right.rows(rows), packedBlocks, order, stack: stack, mayJoin: mayJoin))
        })
    }
    let probe = BitProbe(left: leftFactor, right: rightFactor, result: Operand(result))
    let way = try probe.choose(among: ways.count, plan)
    self.way = way
    program = try plan(way, leftFactor, rightFactor, Operand(result))
  }

  /// How a sum of products may be computed.
  private struct Way {
    let panels: [Range<Int>]
    /// Whether a part may be added to the sum below it as it is computed.
    let mayJoin: Bool
  }

  /// One panel of the result's rows.
  /// - Parameter stack: where the walk's sums are.
  private static func steps(
    _ left: Operand, _ right: Operand, _ blocks: [Range<Int>], _ order: SummationOrder,
    stack: [Operand], mayJoin: Bool
  ) throws -> [ProductProgram.Step] {
    var steps: [ProductProgram.Step] = []
    var topHasJoined = false
    try order.walk { block, place in
      topHasJoined = mayJoin && place > 0 && order.additions[block] > 0
      steps.append(
        .product(
          try ProductPlan(
            left.columns(blocks[block]), right.rows(blocks[block]),
            into: stack[topHasJoined ? place - 1 : place],
            ending: ProductEnding(accumulates: topHasJoined))))
    } add: { place in
      if !topHasJoined {
        let (sum, part) = (stack[place], stack[place + 1])
        steps.append(
          .addition(sum.floats, adding: part.floats, count: sum.rows * sum.columns))
      }
      topHasJoined = false
    }
    return steps
  }

  /// Computes the sum of products; zero for no blocks.
  /// - Throws: ``OneDNNError``.
  public func run() throws {
    if let program {
      try program.run()
    } else {
      result.buffer.update(repeating: 0)
    }
  }
}

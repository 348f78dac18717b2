/// `result = Σ leftᵀ * right over blocks of rows`, the blocks' products added up in a tree's order: planned once
/// for fixed memory and run in every step.
///
/// This is how a weight gradient is made: left is dLoss/doutput, right the layer's input, and a block the rows of
/// one logical shard.
public final class TreeProduct {
  private let result: Matrix
  private let program: ProductProgram?
  private let workspace = Workspace()

  /// Plans `result[m, n]` from `left[rows, m]` and `right[rows, n]`.
  /// - Parameters:
  ///   - blocks: rows of each part of the sum, none empty.
  ///   - order: in which the parts are added up.
  /// - Throws: ``OneDNNError`` if oneDNN cannot plan it.
  public init(
    _ left: Matrix, times right: Matrix, blocks: [Range<Int>], order: SummationOrder,
    into result: Matrix
  ) throws {
    precondition(left.rows == right.rows && blocks.count == order.partCount)
    precondition(result.rows == left.columns && result.columns == right.columns)
    self.result = result
    guard !blocks.isEmpty else {
      program = nil
      return
    }
    // Place 0 of the stack is the result itself.
    var stack = [result]
    while stack.count < order.depth {
      stack.append(workspace.matrix(rows: result.rows, columns: result.columns))
    }
    var probe = BitProbe()
    program = ProductProgram(
      pieces: try Panels.ranges(of: result.rows).map { panel in
        try Self.steps(
          left, right, blocks, order, panel: panel, stack: stack.map { $0.rows(panel) },
          probe: &probe)
      })
  }

  /// One panel of the result's rows.
  private static func steps(
    _ left: Matrix, _ right: Matrix, _ blocks: [Range<Int>], _ order: SummationOrder,
    panel: Range<Int>, stack: [Matrix], probe: inout BitProbe
  ) throws -> [ProductProgram.Step] {
    var steps: [ProductProgram.Step] = []
    /// Whether the sum on top of the stack is already part of the one below.
    var topIsMerged = false
    try order.walk { block, place in
      let leftFactor = Operand(left.rows(blocks[block])).transposed.rows(panel)
      let rightFactor = Operand(right.rows(blocks[block]))
      // A part that is added to the one below at once needs no place of its own, where that changes no bit.
      let joins = place > 0 && order.additions[block] > 0
      topIsMerged =
        try joins && probe.accumulationIsExact(leftFactor, rightFactor, into: Operand(stack[0]))
      steps.append(
        .product(
          try ProductPlan(
            leftFactor, rightFactor, into: Operand(stack[topIsMerged ? place - 1 : place]),
            ending: ProductEnding(accumulates: topIsMerged))))
    } add: { place in
      if !topIsMerged {
        steps.append(
          .addition(
            stack[place].elements, adding: stack[place + 1].elements, count: stack[place].count))
      }
      topIsMerged = false
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

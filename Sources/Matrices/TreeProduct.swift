/// `result = Σ leftᵀ * right over blocks of rows`, the blocks' products added up in a tree's order: planned once
/// for fixed memory and run in every step.
///
/// This is how a weight gradient is made: left is dLoss/doutput, right the layer's input, and a block the rows of
/// one logical shard. The number of threads changes no bit.
public final class TreeProduct {
  private let program: ProductProgram
  private let workspace = Workspace()

  /// Plans `result[m, n]` from `left[rows, m]` and `right[rows, n]`; zero for no blocks.
  /// - Parameters:
  ///   - blocks: rows of each part of the sum, none empty.
  ///   - order: in which the parts are added up.
  /// - Throws: ``KernelError``.
  public init(
    _ left: Matrix, times right: Matrix, _ precision: Precision, blocks: [Range<Int>],
    order: SummationOrder, into result: Matrix
  ) throws {
    precondition(left.rows == right.rows && blocks.count == order.partCount)
    precondition(result.rows == left.columns && result.columns == right.columns)
    let workspace = self.workspace
    if blocks.isEmpty { result.buffer.update(repeating: 0) }
    var phases: [[[ProductStep]]] = []
    var factors = ProductFactors(
      left: LeftFactor(
        address: left.elements, precision: .float32, step: left.columns, isTransposed: true),
      right: RightFactor(address: right.elements, precision: .float32, step: right.columns))
    var inner = blocks
    if precision == .bfloat16 {
      // Pairs of rows of both factors; a block with an odd number of rows ends with a row of zeros.
      let pairs = blocks.flatMap { Cut.pieces(of: $0, size: 2) }
      func paired(_ matrix: Matrix) -> (words: UnsafeMutablePointer<UInt32>, [ProductStep]) {
        let words = workspace.zeros(of: UInt32.self, count: pairs.count * matrix.columns)
          .baseAddress!
        let steps = pairs.enumerated().map { index, pair in
          ProductStep.roundPair(
            matrix.rows(pair).elements,
            pair.count == 2 ? matrix.rows(pair).elements + matrix.columns : nil,
            count: matrix.columns, into: words + index * matrix.columns)
        }
        return (words, steps)
      }
      let ((leftWords, leftSteps), (rightWords, rightSteps)) = (paired(left), paired(right))
      phases.append(Cut.forThreads(leftSteps + rightSteps).map(Array.init))
      let transposed = workspace.zeros(of: UInt32.self, count: pairs.count * left.columns)
        .baseAddress!
      phases.append(
        try Transposition(
          words: leftWords, step: left.columns, result: transposed, resultStep: pairs.count
        ).pieces(rows: pairs.count, columns: left.columns))
      factors = ProductFactors(
        left: LeftFactor(address: transposed, precision: .bfloat16, step: 2 * pairs.count),
        right: RightFactor(address: rightWords, precision: .bfloat16, step: right.columns))
      var end = 0
      inner = blocks.map { block in
        defer { end += (block.count + 1) / 2 * 2 }
        return end..<end + (block.count + 1) / 2 * 2
      }
    }
    phases.append(
      try Cut.forThreads(Cut.pieces(of: 0..<result.rows, size: Cut.rows)).map { rowTiles in
        // Place 0 of the stack is the result itself; the others stay in the first cache.
        let stackStep = 64
        let stack = (1..<max(order.depth, 1)).map { _ in
          workspace.matrix(rows: Cut.rows, columns: stackStep)
        }
        var steps: [ProductStep] = []
        for rowTile in rowTiles {
          for columnTile in Cut.columns(result.columns) {
            func tile(_ place: Int) -> Tile {
              place == 0
                ? Tile(result, rows: rowTile, columns: columnTile)
                : Tile(
                  elements: stack[place - 1].elements, step: stackStep, rows: rowTile.count,
                  columns: columnTile.count)
            }
            try order.walk { block, place in
              steps += try factors.multiply(
                rows: rowTile, inner: inner[block], columns: columnTile, into: tile(place))
            } add: { place in
              steps.append(.add(tile(place + 1), to: tile(place)))
            }
          }
        }
        return steps
      })
    program = ProductProgram(phases: blocks.isEmpty ? [] : phases)
  }

  /// Computes the sum of products.
  public func run() { program.run() }
}

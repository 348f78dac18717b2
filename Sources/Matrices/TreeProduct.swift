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
  /// - Throws: ``KernelError``, `MemoryError`.
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
      func paired(
        _ matrix: Matrix
      ) throws -> (words: UnsafeMutablePointer<UInt32>, [ProductStep]) {
        let words = try workspace.zeros(of: UInt32.self, count: pairs.count * matrix.columns)
          .baseAddress!
        let steps = pairs.enumerated().map { index, pair in
          ProductStep.roundPair(
            matrix.rows(pair).elements,
            pair.count == 2 ? matrix.rows(pair).elements + matrix.columns : nil,
            count: matrix.columns, into: words + index * matrix.columns)
        }
        return (words, steps)
      }
      let ((leftWords, leftSteps), (rightWords, rightSteps)) = try (paired(left), paired(right))
      phases.append(Cut.forThreads(leftSteps + rightSteps).map(Array.init))
      let transposed = try workspace.zeros(of: UInt32.self, count: pairs.count * left.columns)
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
        let begin = end
        end += (block.count + 1) / 2 * 2
        return begin..<end
      }
    }
    phases.append(
      try Cut.forThreads(Cut.pieces(of: 0..<result.rows, size: Cut.rows)).map { rowTiles in
        // Both stay in the first cache.
        let leaves = try workspace.matrix(rows: 4, columns: Cut.rows * Cut.mostColumns)
        let stack = try workspace.matrix(rows: order.depth, columns: Cut.rows * Cut.mostColumns)
        return try rowTiles.flatMap { rowTile in
          try Cut.columns(result.columns).flatMap { columnTile in
            func tile(_ memory: Matrix, _ place: Int) -> Tile {
              Tile(
                elements: memory.rows(place..<place + 1).elements, step: columnTile.count,
                rows: rowTile.count, columns: columnTile.count)
            }
            return try Self.steps(
              order,
              multiply: {
                try factors.multiply(
                  rows: rowTile, inner: inner[$0], columns: columnTile, into: $1)
              },
              leaf: { tile(leaves, $0) }, leafSize: leaves.columns,
              // The lowest sum is the result itself.
              sum: { $0 == 0 ? Tile(result, rows: rowTile, columns: columnTile) : tile(stack, $0) }
            )
          }
        }
      })
    program = ProductProgram(phases: blocks.isEmpty ? [] : phases)
  }

  /// One tile of the result: a walk through the tree that adds up two or four neighbouring leaves at once.
  private static func steps(
    _ order: SummationOrder, multiply: (_ block: Int, _ tile: Tile) throws -> [ProductStep],
    leaf: (_ index: Int) -> Tile, leafSize: Int, sum: (_ place: Int) -> Tile
  ) rethrows -> [ProductStep] {
    var steps: [ProductStep] = []
    var (block, place) = (0, 0)
    while block < order.partCount {
      let (count, additions) = order.group(at: block)
      if count == 1 {
        steps += try multiply(block, sum(place))
      } else {
        for index in 0..<count { steps += try multiply(block + index, leaf(index)) }
        steps.append(
          .sumPairs(leaf(0).elements, size: leafSize, count: count, into: sum(place)))
      }
      for _ in 0..<additions {
        place -= 1
        steps.append(.add(sum(place + 1), to: sum(place)))
      }
      place += 1
      block += count
    }
    return steps
  }

  /// Computes the sum of products.
  public func run() { program.run() }
}

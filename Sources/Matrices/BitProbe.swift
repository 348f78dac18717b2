import Glibc

/// Chooses among ways to compute the same thing the first one that gives the bits of the last, the plainest.
///
/// oneDNN promises nowhere that a row has the same bits whatever the rows beside it, that a part of the columns has, or
/// that what it adds to a result is the finished product; which of that holds depends on the processor and on the
/// shapes. So it is tried when a product is planned, on random numbers: so many that another order of adding would show.
struct BitProbe {
  /// Shapes and steps of the factors and the result.
  let left, right, result: Operand
  private let workspace = Workspace()

  /// Which of the ways to take, the plainest one last.
  /// - Parameter make: plans way number n for other operands of the same shapes.
  func choose(
    among wayCount: Int,
    _ make: (_ way: Int, _ left: Operand, _ right: Operand, _ result: Operand) throws ->
      ProductProgram
  ) throws -> Int {
    guard wayCount > 1 else { return 0 }
    let (left, right) = (random(like: left, stream: 1), random(like: right, stream: 2))
    let expected = zeros(like: result)
    try make(wayCount - 1, left, right, expected).run()
    for way in 0..<wayCount - 1 {
      let actual = zeros(like: result)
      try make(way, left, right, actual).run()
      if areSame(actual, expected) { return way }
    }
    return wayCount - 1
  }

  /// Zeros with the shape and the steps of a result: those, too, have a say in which kernel oneDNN takes.
  private func zeros(like result: Operand) -> Operand {
    result.moved(to: ProductInput(workspace.matrix(rows: result.rows, columns: result.rowStep)))
  }

  /// Random numbers with the shape and the steps of a factor.
  private func random(like operand: Operand, stream: UInt32) -> Operand {
    let isPlain = operand.columnStep == 1
    // A lone row or column may have a step that is shorter than it is long.
    let matrix = workspace.matrix(
      rows: isPlain ? operand.rows : operand.columns,
      columns: isPlain
        ? max(operand.rowStep, operand.columns) : max(operand.columnStep, operand.rows))
    RandomSource(seed: 1).fillNormals(matrix, stream: stream, step: 0, firstSample: 0)
    let input = ProductInput(matrix, operand.precision, in: workspace)
    input.round()
    return operand.moved(to: input)
  }

  private func areSame(_ first: Operand, _ second: Operand) -> Bool {
    (0..<first.rows).allSatisfy { row in
      let place = row * first.rowStep
      return memcmp(
        first.floats + place, second.floats + place, first.columns * MemoryLayout<Float>.stride)
        == 0
    }
  }
}

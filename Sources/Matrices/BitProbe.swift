import VectorKernels

/// Finds out whether two ways to the same product give the same bits on this machine. oneDNN promises it nowhere, and
/// it depends on the shapes: so it is tried, on random numbers, so many that another order of adding would show.
struct BitProbe {
  /// What was found out of accumulation, by rows of the result and products in each sum.
  private var accumulation: [[Int]: Bool] = [:]
  private let workspace = Workspace()
  private var stream: UInt32 = 0

  /// Whether oneDNN, told to add a product to what the result holds, takes the very sum that it would take of a
  /// finished product. That saves a walk through memory.
  mutating func accumulationIsExact(
    _ left: Operand, _ right: Operand, into result: Operand
  ) throws -> Bool {
    let shape = [left.rows, left.columns]
    if let finding = accumulation[shape] { return finding }
    let (first, second) = ((like(left), like(right)), (like(left), like(right)))
    let (sum, other, accumulated) = (zeros(like: result), zeros(like: result), zeros(like: result))
    let count = result.rows * result.rowStep
    try Self.run(first, into: sum)
    try Self.run(second, into: other)
    accumulated.elements.update(from: sum.elements, count: count)
    try Self.run(second, into: accumulated, ProductEnding(accumulates: true))
    VectorMath.kernels.pointee.add(sum.elements, other.elements, count)
    let isExact = Self.areSame(sum, accumulated)
    accumulation[shape] = isExact
    return isExact
  }

  /// Whether a product's rows have the bits that they have in products of some of the rows alone.
  mutating func rowsAreIndependent(
    _ left: Operand, _ right: Operand, into result: Operand, _ ending: ProductEnding,
    blocks: [Range<Int>]
  ) throws -> Bool {
    // What a block's bits depend on beside its size is how oneDNN cuts the rows: that repeats itself.
    let most = 8
    let tried = blocks.count <= most ? blocks : blocks.prefix(most / 2) + blocks.suffix(most / 2)
    let factors = (like(left), like(right))
    let (whole, part) = (zeros(like: result), zeros(like: result))
    // Nothing but the product itself: an activation would hide differences.
    let plain = ProductEnding(bias: ending.bias)
    try Self.run(factors, into: whole, plain)
    for block in tried {
      try Self.run((factors.0.rows(block), factors.1), into: part.rows(block), plain)
      if !Self.areSame(whole.rows(block), part.rows(block)) { return false }
    }
    return true
  }

  /// Zeros with the shape and the steps of a result: those, too, have a say in which kernel oneDNN takes.
  private func zeros(like result: Operand) -> Operand {
    var other = result
    other.elements = workspace.matrix(rows: result.rows, columns: result.rowStep).elements
    return other
  }

  /// Random numbers with the shape and the steps of a factor.
  private mutating func like(_ operand: Operand) -> Operand {
    var other = operand
    let isPlain = operand.columnStep == 1
    let matrix = workspace.matrix(
      rows: isPlain ? operand.rows : operand.columns,
      columns: isPlain ? operand.rowStep : operand.columnStep)
    stream += 1
    RandomSource(seed: 1).fillNormals(matrix, stream: stream, step: 0, firstSample: 0)
    other.elements = matrix.elements
    return other
  }

  private static func run(
    _ factors: (Operand, Operand), into result: Operand, _ ending: ProductEnding = ProductEnding()
  ) throws {
    let plan = try ProductPlan(factors.0, factors.1, into: result, ending: ending)
    try withExtendedLifetime(plan) { try check(plan.call.run(), "dnnl_primitive_execute") }
  }

  private static func areSame(_ first: Operand, _ second: Operand) -> Bool {
    (0..<first.rows).allSatisfy { row in
      (0..<first.columns).allSatisfy { column in
        let place = row * first.rowStep + column
        return first.elements[place].bitPattern == second.elements[place].bitPattern
      }
    }
  }
}

import Collectives
import Glibc
import TestSupport
import Testing

@testable import Matrices

/// What is summed over rows has the bits that the page *One way to sum* says, whoever owns which outputs.
@Suite struct WeightGradientTests {
  private let workspace = Workspace()
  private static let sizes = [1, 7, 8, 63, 64, 65, 100, 128, 192, 200, 320]

  /// The sum of leaves by the tree's definition: the first 2ᵏ < n leaves, then the rest.
  private func treeSum(_ leaves: ArraySlice<Float>) -> Float {
    guard leaves.count > 1 else { return leaves.first ?? 0 }
    var left = 1
    while 2 * left < leaves.count { left *= 2 }
    return treeSum(leaves.prefix(left)) + treeSum(leaves.dropFirst(left))
  }

  private func multiplyAdd(_ left: Float, _ right: Float, _ sum: Float) -> Float {
    if Processor.instructionSet.fusesMultiplyAdd { return fmaf(left, right, sum) }
    let product = left * right
    return sum + product
  }

  /// One number of the gradient, one operation after the other.
  private func naive(
    rows: Int, passes: Int, leafSize: Int = 64, order: (Range<Int>) -> [Int] = { Array($0) },
    _ add: (_ sum: Float, _ row: Int) -> Float
  ) -> Float {
    let leaves = stride(from: 0, to: rows, by: leafSize).map { begin -> Float in
      var sum: Float = 0
      for pass in 0..<passes {
        for row in order(begin..<min(begin + leafSize, rows)) { sum = add(sum, pass * rows + row) }
      }
      return sum
    }
    return treeSum(leaves[...])
  }

  private func gradient(
    _ left: Matrix, _ right: Matrix, outputs: Range<Int>, passes: Int, order: SummationOrder
  ) throws -> (weight: Matrix, bias: Matrix) {
    let list = InstructionList()
    let weight = try SumStack(
      depth: order.depth, count: outputs.count * right.columns, in: workspace)
    let bias = try SumStack(depth: order.depth, count: outputs.count, in: workspace)
    try list.weightGradient(
      .float32(left), outputs: outputs, times: .float32(right), passes: passes, order: order,
      stack: weight)
    list.biasGradient(left, outputs: outputs, passes: passes, order: order, stack: bias)
    list.run()
    return (
      Matrix(elements: weight.sum, rows: outputs.count, columns: right.columns),
      Matrix(elements: bias.sum, rows: 1, columns: outputs.count)
    )
  }

  @Test(arguments: sizes, [1, 2])
  func eachNumberIsAChainALeafAndATreeOfLeaves(rows: Int, passes: Int) throws {
    let left = workspace.normals(rows: passes * rows, columns: 30, stream: 1)
    let right = workspace.normals(rows: passes * rows, columns: 37, stream: 2)
    let order = SummationOrder(rows: rows)
    for outputs in [0..<30, 0..<8, 8..<9, 5..<29] {
      let (weight, bias) = try gradient(
        left, right, outputs: outputs, passes: passes, order: order)
      for (row, output) in outputs.enumerated() {
        for column in 0..<37 {
          let expected = naive(rows: rows, passes: passes) {
            multiplyAdd(left[$1, output], right[$1, column], $0)
          }
          #expect(weight[row, column].bitPattern == expected.bitPattern)
        }
        let expected = naive(rows: rows, passes: passes) { $0 + left[$1, output] }
        #expect(bias[0, row].bitPattern == expected.bitPattern)
      }
    }
  }

  /// The comparison sees rows in another order, and leaves of another size.
  @Test func anotherOrderHasOtherBits() throws {
    let rows = 200
    let left = workspace.normals(rows: rows, columns: 8, stream: 1)
    let right = workspace.normals(rows: rows, columns: 37, stream: 2)
    let (weight, _) = try gradient(
      left, right, outputs: 0..<8, passes: 1, order: SummationOrder(rows: rows))
    func unlike(leafSize: Int = 64, order: (Range<Int>) -> [Int] = { Array($0) }) -> Int {
      (0..<8 * 37).count { place in
        let expected = naive(rows: rows, passes: 1, leafSize: leafSize, order: order) {
          multiplyAdd(left[$1, place / 37], right[$1, place % 37], $0)
        }
        return weight[place / 37, place % 37].bitPattern != expected.bitPattern
      }
    }
    #expect(unlike() == 0)
    #expect(unlike(order: { $0.reversed() }) > 100)
    #expect(unlike(leafSize: 32) > 100)
    #expect(unlike(leafSize: 128) > 100)
  }

  /// Pairs of rows, an odd number of them: right, and the same for any run of outputs.
  @Test(
    .enabled(if: Machine.multipliesBFloat16, "needs AVX-512 BF16"), arguments: sizes, [1, 2])
  func bfloat16GradientsDoNotDependOnTheOwner(rows: Int, passes: Int) throws {
    let (outputs, columns) = (32, 64)
    let left = workspace.normals(rows: passes * rows, columns: outputs, stream: 1)
    let right = workspace.normals(rows: passes * rows, columns: columns, stream: 2)
    func paired(_ matrix: Matrix) throws -> GradientFactor {
      let words = try workspace.zeros(
        of: UInt32.self,
        count: PairedRows.wordCount(passes: passes, rowsOfPass: rows, columns: matrix.columns))
      let pairs = PairedRows(
        words: words.baseAddress!, columns: matrix.columns, rowsOfPass: rows)
      let list = InstructionList()
      // By blocks, as workers do.
      for begin in stride(from: 0, to: rows, by: 8) {
        for pass in 0..<passes {
          list.pair(matrix, rows: begin..<min(begin + 8, rows), ofPass: pass, into: pairs)
        }
      }
      list.run()
      return .bfloat16(pairs)
    }
    let (leftPairs, rightPairs) = try (paired(left), paired(right))
    let order = SummationOrder(rows: rows)
    func gradient(_ run: Range<Int>) throws -> [UInt32] {
      let list = InstructionList()
      let stack = try SumStack(depth: order.depth, count: run.count * columns, in: workspace)
      try list.weightGradient(
        leftPairs, outputs: run, times: rightPairs, passes: passes, order: order, stack: stack)
      list.run()
      return (0..<run.count * columns).map { stack.sum[$0].bitPattern }
    }
    let whole = try gradient(0..<outputs)
    for output in stride(from: 0, to: outputs, by: 5) {
      for column in stride(from: 0, to: columns, by: 7) {
        let exact = (0..<passes * rows).reduce(0.0) {
          $0 + Precision.bfloat16.rounded(left[$1, output])
            * Precision.bfloat16.rounded(right[$1, column])
        }
        #expect(abs(Double(Float(bitPattern: whole[output * columns + column])) - exact) <= 1e-4)
      }
    }
    #expect(try gradient(0..<8) + gradient(8..<32) == whole)
    #expect(try gradient(0..<16) + gradient(16..<24) + gradient(24..<32) == whole)
  }

  @Test(arguments: 1...70) func theOrderIsThePairwiseTree(leaves: Int) {
    let order = SummationOrder(rows: leaves, leafSize: 1)
    // Brackets tell which sums were added.
    var stack: [String] = []
    for leaf in 0..<leaves {
      stack.append("\(leaf)")
      for _ in 0..<order.additions[leaf] {
        let last = stack.removeLast()
        stack.append("(\(stack.removeLast())+\(last))")
      }
      #expect(stack.count <= order.depth)
    }
    func tree(_ leaves: Range<Int>) -> String {
      guard leaves.count > 1 else { return "\(leaves.lowerBound)" }
      var left = 1
      while 2 * left < leaves.count { left *= 2 }
      let middle = leaves.lowerBound + left
      return "(\(tree(leaves.lowerBound..<middle))+\(tree(middle..<leaves.upperBound)))"
    }
    #expect(stack == [tree(0..<leaves)])
  }
}

import TestSupport
import Testing

@testable import Matrices

@Suite struct MatrixProductTests {
  private let workspace = Workspace()

  /// The product in double precision, one number after the other.
  private func naive(_ left: MatrixProduct.Factor, _ right: MatrixProduct.Factor) -> [Double] {
    func element(_ factor: MatrixProduct.Factor, _ row: Int, _ column: Int) -> Double {
      switch factor {
      case .plain(let matrix): Double(matrix[row, column])
      case .transposed(let matrix): Double(matrix[column, row])
      }
    }
    var result: [Double] = []
    for row in 0..<left.operand.rows {
      for column in 0..<right.operand.columns {
        result.append(
          (0..<left.operand.columns).reduce(0) {
            $0 + element(left, row, $1) * element(right, $1, column)
          })
      }
    }
    return result
  }

  private func matrix(_ rows: Int, _ columns: Int, _ stream: UInt32) -> Matrix {
    workspace.normals(rows: rows, columns: columns, stream: stream)
  }

  @Test(arguments: [1, 2, 5, 16, 64], [1, 3, 33, 128])
  func productsAreRight(rows: Int, inner: Int) throws {
    let columns = 17
    let factors: [(MatrixProduct.Factor, MatrixProduct.Factor)] = [
      (.plain(matrix(rows, inner, 1)), .plain(matrix(inner, columns, 2))),
      (.plain(matrix(rows, inner, 1)), .transposed(matrix(columns, inner, 2))),
      (.transposed(matrix(inner, rows, 1)), .plain(matrix(inner, columns, 2))),
    ]
    for (left, right) in factors {
      let result = workspace.matrix(rows: rows, columns: columns)
      try MatrixProduct(left, times: right, into: result).run()
      // n products of numbers of size 1 round to about √n 2⁻²⁴ each way.
      #expect(difference(result.buffer, naive(left, right), atol: 1e-5, rtol: 1e-5) == nil)
    }
  }

  @Test func biasAndActivationComeLast() throws {
    let (left, right) = (matrix(6, 9, 1), matrix(5, 9, 2))
    let bias = matrix(1, 5, 3)
    let sums = naive(.plain(left), .transposed(right)).enumerated().map {
      $1 + Double(bias[0, $0 % 5])
    }
    let result = workspace.matrix(rows: 6, columns: 5)
    let activations: [(ProductActivation, (Double) -> Double)] = [
      (.identity, { $0 }), (.leakyReLU(slope: 0.2), { $0 > 0 ? $0 : 0.2 * $0 }),
      (.tanh, { hyperbolicTangent($0) }),
    ]
    for (activation, function) in activations {
      try MatrixProduct(
        .plain(left), times: .transposed(right), plus: bias, activation: activation, into: result
      ).run()
      #expect(difference(result.buffer, sums.map(function), atol: 2e-6, rtol: 2e-6) == nil)
    }
  }

  @Test func nothingToAddUpGivesZero() throws {
    let result = matrix(3, 4, 1)
    try MatrixProduct(
      .transposed(workspace.matrix(rows: 0, columns: 3)),
      times: .plain(workspace.matrix(rows: 0, columns: 4)), into: result
    ).run()
    #expect(result.buffer.allSatisfy { $0 == 0 })
  }

  @Test func noRowsAreNoTrouble() throws {
    try MatrixProduct(
      .plain(workspace.matrix(rows: 0, columns: 3)), times: .plain(matrix(3, 4, 1)),
      into: workspace.matrix(rows: 0, columns: 4)
    ).run()
  }

  /// A block of rows has the same bits with any other blocks beside it: what a logical shard gives is the same for any
  /// number of ranks. That holds for sizes, too, at which oneDNN's rows do depend on each other.
  @Test(arguments: [1, 2, 3, 5, 7, 16, 32])
  func blocksOfForwardProductsAreIndependent(blockSize: Int) throws {
    let (left, right, bias) = (matrix(64, 256, 1), matrix(512, 256, 2), matrix(1, 512, 3))
    func product(_ rows: Range<Int>) throws -> [UInt32] {
      let result = workspace.matrix(rows: rows.count, columns: 512)
      try MatrixProduct(
        .plain(left.rows(rows)), times: .transposed(right), plus: bias, activation: .tanh,
        into: result,
        blocks: stride(from: 0, to: rows.count, by: blockSize).map {
          $0..<min($0 + blockSize, rows.count)
        }
      ).run()
      return result.buffer.map(\.bitPattern)
    }
    let whole = try product(0..<64)
    for begin in stride(from: 0, to: 64, by: blockSize) {
      let rows = begin..<min(begin + blockSize, 64)
      let isSame = try product(rows) == Array(whole[512 * rows.lowerBound..<512 * rows.upperBound])
      #expect(isSame, "rows \(rows)")
    }
  }
}

private func hyperbolicTangent(_ x: Double) -> Double {
  // (1 - e^-2x) / (1 + e^-2x) by the series of e, enough for the sizes here.
  var (term, sum) = (1.0, 1.0)
  for n in 1...80 {
    term *= -2 * abs(x) / Double(n)
    sum += term
  }
  let value = (1 - sum) / (1 + sum)
  return x < 0 ? -value : value
}

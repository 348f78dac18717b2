import TestSupport
import Testing

@testable import Matrices

@Suite struct MatrixProductTests {
  private let workspace = Workspace()

  /// The product in double precision, one number after the other.
  private func naive(_ left: MatrixProduct.Factor, _ right: MatrixProduct.Factor) -> [Double] {
    func element(_ factor: MatrixProduct.Factor, _ row: Int, _ column: Int) -> Double {
      switch factor {
      case .plain(let input): input.number(row, column)
      case .transposed(let input): input.number(column, row)
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

  /// Normal numbers as products read them.
  private func input(
    _ rows: Int, _ columns: Int, _ stream: UInt32, _ precision: Precision
  ) -> ProductInput {
    let input = ProductInput(matrix(rows, columns, stream), precision, in: workspace)
    input.round()
    return input
  }

  private func matrix(_ rows: Int, _ columns: Int, _ stream: UInt32) -> Matrix {
    workspace.normals(rows: rows, columns: columns, stream: stream)
  }

  @Test(arguments: [1, 2, 5, 16, 64], [1, 3, 33, 128])
  func productsAreRight(rows: Int, inner: Int) throws {
    let columns = 17
    let factors = Precision.ofThisProcessor.flatMap {
      precision -> [(MatrixProduct.Factor, MatrixProduct.Factor)] in
      [
        (
          .plain(input(rows, inner, 1, precision)), .plain(input(inner, columns, 2, precision))
        ),
        (
          .plain(input(rows, inner, 1, precision)),
          .transposed(input(columns, inner, 2, precision))
        ),
        (
          .transposed(input(inner, rows, 1, precision)),
          .plain(input(inner, columns, 2, precision))
        ),
      ]
    }
    for (left, right) in factors {
      let result = workspace.matrix(rows: rows, columns: columns)
      try MatrixProduct(left, times: right, into: result).run()
      // n products of numbers of size 1 round to about √n 2⁻²⁴ each way.
      #expect(difference(result.buffer, naive(left, right), atol: 1e-5, rtol: 1e-5) == nil)
    }
  }

  @Test(arguments: Precision.ofThisProcessor)
  func biasAndActivationComeLast(precision: Precision) throws {
    let (left, right) = (input(6, 9, 1, precision), input(5, 9, 2, precision))
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
        .plain(left), times: .transposed(right), plus: bias,
        activation: activation, into: result
      ).run()
      #expect(difference(result.buffer, sums.map(function), atol: 2e-6, rtol: 2e-6) == nil)
    }
  }

  @Test func nothingToAddUpGivesZero() throws {
    let result = matrix(3, 4, 1)
    try MatrixProduct(
      .transposed(ProductInput(workspace.matrix(rows: 0, columns: 3))),
      times: .plain(ProductInput(workspace.matrix(rows: 0, columns: 4))), into: result
    ).run()
    #expect(result.buffer.allSatisfy { $0 == 0 })
  }

  @Test func noRowsAreNoTrouble() throws {
    try MatrixProduct(
      .plain(ProductInput(workspace.matrix(rows: 0, columns: 3))),
      times: .plain(ProductInput(matrix(3, 4, 1))),
      into: workspace.matrix(rows: 0, columns: 4)
    ).run()
  }

  /// A block of rows has the same bits with any other blocks beside it: what a logical shard gives is the same for any
  /// number of ranks. That holds for sizes, too, at which oneDNN's rows do depend on each other.
  @Test(arguments: [1, 2, 3, 5, 7, 16, 32], Precision.ofThisProcessor)
  func blocksOfForwardProductsAreIndependent(blockSize: Int, precision: Precision) throws {
    let (left, right) = (input(64, 256, 1, precision), input(512, 256, 2, precision))
    let bias = matrix(1, 512, 3)
    func product(_ rows: Range<Int>) throws -> [UInt32] {
      let result = workspace.matrix(rows: rows.count, columns: 512)
      try MatrixProduct(
        .plain(left.rows(rows)), times: .transposed(right), plus: bias,
        activation: .tanh,
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

extension ProductInput {
  /// The number that products read.
  func number(_ row: Int, _ column: Int) -> Double {
    let place = row * matrix.columns + column
    guard let rounded else { return Double(matrix.elements[place]) }
    return Double(Float(bitPattern: UInt32(rounded[place]) << 16))
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

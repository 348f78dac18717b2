import Glibc
import TestSupport
import Testing

@testable import Matrices

/// A layer's output and the gradient of its input.
@Suite struct LayerProductTests {
  private let workspace = Workspace()

  private func matrix(_ rows: Int, _ columns: Int, _ stream: UInt32) -> Matrix {
    workspace.normals(rows: rows, columns: columns, stream: stream)
  }

  /// The product in double precision, one number after the other.
  private func naive(
    _ rows: Int, _ inner: Int, _ columns: Int, _ left: (Int, Int) -> Double,
    _ right: (Int, Int) -> Double
  ) -> [Double] {
    (0..<rows * columns).map { place in
      (0..<inner).reduce(0) {
        $0 + left(place / columns, $1) * right($1, place % columns)
      }
    }
  }

  // Sizes around those of vectors, tiles and groups of tiles; bfloat16 takes whole pairs of inputs.
  @Test(arguments: [1, 2, 5, 16, 64, 130], [(2, 1), (4, 33), (34, 24), (128, 49), (1100, 7)])
  func outputsAreRight(rows: Int, size: (inputs: Int, outputs: Int)) throws {
    try checkOutputs(rows: rows, size: size, .float32)
  }

  @Test(
    .enabled(if: Machine.multipliesBFloat16, "needs AVX-512 BF16"),
    arguments: [1, 2, 5, 16, 64, 130], [(2, 1), (4, 33), (34, 24), (128, 49), (1100, 7)])
  func outputsOfBFloat16AreRight(rows: Int, size: (inputs: Int, outputs: Int)) throws {
    try checkOutputs(rows: rows, size: size, .bfloat16)
  }

  private func checkOutputs(
    rows: Int, size: (inputs: Int, outputs: Int), _ precision: Precision
  ) throws {
    let input = matrix(rows, size.inputs, 1)
    let weight = workspace.weight(size.outputs, size.inputs, 2, precision)
    let bias = matrix(1, size.outputs, 3)
    let sums = naive(
      rows, size.inputs, size.outputs, { precision.rounded(input[$0, $1]) },
      { precision.rounded(weight.matrix[$1, $0]) })
    let activations: [(ProductActivation, (Double) -> Double)] = [
      (.identity, { $0 }), (.leakyReLU(slope: 0.2), { $0 > 0 ? $0 : 0.2 * $0 }), (.tanh, tanh),
    ]
    for (activation, function) in activations {
      let result = try workspace.matrix(rows: rows, columns: size.outputs)
      try ActivatedProduct(
        input, times: weight, plus: bias, activation: activation, into: result
      ).run()
      let expected = sums.enumerated().map {
        function($1 + Double(bias[0, $0 % size.outputs]))
      }
      // n products of numbers of size 1 round to about √n 2⁻²⁴ each way.
      #expect(difference(result.buffer, expected, atol: 5e-5, rtol: 1e-5) == nil)
    }
  }

  @Test(arguments: [1, 2, 5, 16, 64, 130], [(1, 1), (3, 33), (34, 70), (65, 128), (1100, 7)])
  func inputGradientsAreRight(rows: Int, size: (outputs: Int, inputs: Int)) throws {
    try checkInputGradients(rows: rows, size: size, .float32)
  }

  @Test(
    .enabled(if: Machine.multipliesBFloat16, "needs AVX-512 BF16"),
    arguments: [1, 2, 5, 16, 64, 130], [(1, 1), (3, 33), (34, 70), (65, 128), (1100, 7)])
  func inputGradientsOfBFloat16AreRight(rows: Int, size: (outputs: Int, inputs: Int)) throws {
    try checkInputGradients(rows: rows, size: size, .bfloat16)
  }

  private func checkInputGradients(
    rows: Int, size: (outputs: Int, inputs: Int), _ precision: Precision
  ) throws {
    let gradient = matrix(rows, size.outputs, 1)
    let weight = workspace.weight(size.outputs, size.inputs, 2, precision)
    let result = try workspace.matrix(rows: rows, columns: size.inputs)
    try PlainProduct(gradient, times: weight, into: result).run()
    let expected = naive(
      rows, size.outputs, size.inputs, { precision.rounded(gradient[$0, $1]) },
      { precision.rounded(weight.matrix[$0, $1]) })
    #expect(difference(result.buffer, expected, atol: 5e-5, rtol: 1e-5) == nil)
  }

  @Test func noRowsAreNoTrouble() throws {
    let none = try workspace.matrix(rows: 0, columns: 4)
    let weight = workspace.weight(4, 4, 1, .float32)
    try ActivatedProduct(none, times: weight, plus: matrix(1, 4, 2), into: none).run()
    try PlainProduct(none, times: weight, into: none).run()
  }

  /// Of each row, the bits do not depend on the rows beside it: what a row gives is the same for any number
  /// of ranks, and an image the same in any grid.
  @Test(arguments: [(200, 256), (1, 128), (24, 16), (5, 7 * 2)])
  func rowsAreIndependent(size: (outputs: Int, inputs: Int)) throws {
    try checkIndependence(size, .float32)
  }

  @Test(
    .enabled(if: Machine.multipliesBFloat16, "needs AVX-512 BF16"),
    arguments: [(200, 256), (1, 128), (24, 16), (5, 7 * 2)])
  func rowsOfBFloat16AreIndependent(size: (outputs: Int, inputs: Int)) throws {
    try checkIndependence(size, .bfloat16)
  }

  private func checkIndependence(
    _ size: (outputs: Int, inputs: Int), _ precision: Precision
  ) throws {
    let weight = workspace.weight(size.outputs, size.inputs, 2, precision)
    let (input, gradient) = (matrix(70, size.inputs, 1), matrix(70, size.outputs, 4))
    let bias = matrix(1, size.outputs, 3)
    func products(_ rows: Range<Int>) throws -> (output: Matrix, gradient: Matrix) {
      let output = try workspace.matrix(rows: rows.count, columns: size.outputs)
      try ActivatedProduct(
        input.rows(rows), times: weight, plus: bias, activation: .tanh, into: output
      ).run()
      let inputGradient = try workspace.matrix(rows: rows.count, columns: size.inputs)
      try PlainProduct(gradient.rows(rows), times: weight, into: inputGradient).run()
      return (output, inputGradient)
    }
    let whole = try products(0..<70)
    for count in [1, 2, 3, 7, 11, 12, 16, 17, 24, 32, 33, 48, 64, 65] {
      for rows in [0..<count, 70 - count..<70] {
        let part = try products(rows)
        #expect(part.output.bits == whole.output.rows(rows).bits, "outputs of rows \(rows)")
        #expect(part.gradient.bits == whole.gradient.rows(rows).bits, "gradients of rows \(rows)")
      }
    }
  }

  /// Every number is one chain of multiply-adds, whatever vectors the processor has: with FMA
  /// each of them rounds once, without it twice.
  @Test func sumsAreChains() throws {
    func multiplyAdd(_ left: Float, _ right: Float, _ sum: Float) -> Float {
      if Processor.instructionSet.fusesMultiplyAdd { return fmaf(left, right, sum) }
      let product = left * right
      return sum + product
    }
    for (rows, inner, columns) in [
      (1, 5, 1), (3, 40, 9), (13, 70, 17), (70, 1100, 33), (16, 9, 130),
    ] {
      let (left, bias) = (matrix(rows, inner, 1), workspace.testMatrix(rows: 1, columns: columns))
      func chain(_ row: Int, _ weight: (_ inner: Int) -> Float) -> UInt32 {
        (0..<inner).reduce(Float(0)) { multiplyAdd(left[row, $1], weight($1), $0) }.bitPattern
      }
      let result = try workspace.matrix(rows: rows, columns: columns)
      let weight = workspace.weight(columns, inner, 2, .float32)
      try ActivatedProduct(left, times: weight, plus: bias, into: result).run()
      let outputs = (0..<rows * columns).map { place in
        chain(place / columns) { weight.matrix[place % columns, $0] }
      }
      #expect(result.bits == outputs, "outputs [\(rows), \(inner)] * [\(inner), \(columns)]")
      let plainWeight = workspace.weight(inner, columns, 2, .float32)
      try PlainProduct(left, times: plainWeight, into: result).run()
      let gradients = (0..<rows * columns).map { place in
        chain(place / columns) { plainWeight.matrix[$0, place % columns] }
      }
      #expect(result.bits == gradients, "gradients [\(rows), \(inner)] * [\(inner), \(columns)]")
    }
  }

  @Test func theHyperbolicTangentIsExact() {
    let sizes = (0..<4000).map { Float($0) * 0.0025 } + [1e-30, 1e-6, 100, .infinity]
    let values = sizes + sizes.map { -$0 }
    let zero = [Float](repeating: 0, count: 1)
    for build in VectorMath.builds {
      var results = values
      build.pointee.addBiasTanh(&results, results.count, 1, results.count, zero)
      for (x, y) in zip(values, results) {
        #expect(abs(Double(y) - tanh(Double(x))) <= 1.2e-7 * abs(tanh(Double(x))), "tanh(\(x))")
      }
      var large: [Float] = [9.5, 100, .infinity]
      build.pointee.addBiasTanh(&large, 3, 1, 3, zero)
      #expect(large == [1, 1, 1])
      var none: [Float] = [.nan]
      build.pointee.addBiasTanh(&none, 1, 1, 1, zero)
      #expect(none[0].isNaN)
    }
  }
}

extension Matrix {
  fileprivate var bits: [UInt32] { buffer.map(\.bitPattern) }
}

extension Workspace {
  /// Normal numbers as products read them.
  func weight(_ outputs: Int, _ inputs: Int, _ stream: UInt32, _ precision: Precision)
    -> WeightFactor
  {
    let matrix = normals(rows: outputs, columns: inputs, stream: stream)
    guard precision == .bfloat16 else { return WeightFactor(matrix) }
    guard let rounded = try? zeros(of: UInt16.self, count: matrix.count).baseAddress,
      let pairs = try? zeros(of: UInt32.self, count: (matrix.rows + 1) / 2 * matrix.columns)
        .baseAddress
    else { preconditionFailure("no memory for a test's weights") }
    let weight = WeightFactor(matrix, rounded: rounded, pairs: pairs)
    weight.round()
    return weight
  }
}

extension Precision {
  /// The number that products read.
  func rounded(_ x: Float) -> Double {
    guard self == .bfloat16 else { return Double(x) }
    var rounded: UInt16 = 0
    withUnsafePointer(to: x) { VectorMath.kernels.pointee.roundToBFloat16($0, 1, &rounded) }
    return Double(Float(bitPattern: UInt32(rounded) << 16))
  }
}

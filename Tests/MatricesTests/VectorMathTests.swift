import TestSupport
import Testing

@testable import Matrices

@Suite struct VectorMathTests {
  // Matrices are views: their memory must outlive the test.
  private let workspace = Workspace()

  @Test func pixelsBecomeNumbersBetweenMinusOneAndOne() {
    let pixels = (0...255).map { UInt8($0) }
    let out = workspace.testMatrix(rows: 1, columns: 256)
    pixels.withUnsafeBufferPointer { VectorMath.pixelsToFloats($0, into: out) }
    #expect(out[0, 0] == -1)
    #expect(out[0, 255] == 1)
    for pixel in 0...255 {
      // torchvision: each operation rounds to float32.
      #expect(out[0, pixel] == (Float(pixel) / 255 - 0.5) / 0.5)
    }
  }

  /// Welford's data with a mean that dwarfs its deviation: E[x²] - E[x]² in float32 would be noise.
  @Test func momentsSurviveALargeMean() {
    let x = workspace.testMatrix(rows: 4, columns: 3)
    for row in 0..<4 {
      for column in 0..<3 {
        x[row, column] = Float(10_000 * (column + 1)) + [0.25, 0.5, 0.75, 1][row]
      }
    }
    var (mean, m2) = ([Double](repeating: -1, count: 3), [Double](repeating: -1, count: 3))
    VectorMath.kernels.pointee.columnMoments(x.elements, 4, 3, &mean, &m2)
    #expect(mean == [10_000.625, 20_000.625, 30_000.625])
    #expect(m2 == [0.3125, 0.3125, 0.3125])
  }

  @Test(arguments: [0, 1, 2, 3, 7, 100, 93_700])
  func powersAreExactEnough(exponent: Int) {
    let product = (0..<exponent).reduce(1.0) { result, _ in result * 0.999 }
    #expect(abs(VectorMath.power(0.999, exponent) - product) <= 1e-11 * product)
  }
}

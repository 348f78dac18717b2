import TestSupport
import Testing

@testable import Matrices

/// Rounding to bfloat16 numbers, and their pairs.
@Suite struct BFloat16Tests {
  private let workspace = Workspace()

  /// Each float32 and the bfloat16 nearest to it, bit by bit.
  private static let knownAnswers: [(UInt32, UInt16)] = [
    (0x0000_0000, 0x0000), (0x8000_0000, 0x8000), (0x3F80_0000, 0x3F80), (0xC049_0FDB, 0xC049),
    // Below the middle, above it, and on it: to the even neighbour.
    (0x3F80_7FFF, 0x3F80), (0x3F80_8001, 0x3F81), (0x3F80_8000, 0x3F80), (0x3F81_8000, 0x3F82),
    (0xBF81_8000, 0xBF82),
    // Into the next power of two, and beyond the largest number.
    (0x3FFF_8000, 0x4000), (0x7F7F_7FFF, 0x7F7F), (0x7F7F_8000, 0x7F80), (0xFF7F_FFFF, 0xFF80),
    // Denormal numbers are numbers.
    (0x0000_0001, 0x0000), (0x0001_8000, 0x0002), (0x007F_FFFF, 0x0080),
    // Infinities, and what is no number: also what only its lower half tells from infinity.
    (0x7F80_0000, 0x7F80), (0xFF80_0000, 0xFF80), (0x7FC0_0000, 0x7FC0), (0x7F80_0001, 0x7FC0),
    (0xFFFF_FFFF, 0xFFFF), (0x7FBF_FFFF, 0x7FFF),
  ]

  @Test func numbersAreRoundedToTheNearest() {
    let values = Self.knownAnswers.map { Float(bitPattern: $0.0) }
    for build in VectorMath.builds {
      // Twice: in the vectorised part of the loop and, for a part of them, in its rest.
      for count in [values.count, 5] {
        var rounded = [UInt16](repeating: 0, count: count)
        build.pointee.roundToBFloat16(values, count, &rounded)
        #expect(rounded == Self.knownAnswers.prefix(count).map(\.1))
      }
    }
  }

  /// Against the definition: of the two neighbours the nearer, else the even one.
  @Test func randomNumbersAreRoundedToTheNearest() {
    let matrix = workspace.normals(rows: 10, columns: 1000, stream: 1)
    var rounded = [UInt16](repeating: 0, count: matrix.count)
    VectorMath.kernels.pointee.roundToBFloat16(matrix.elements, matrix.count, &rounded)
    for (index, x) in matrix.buffer.enumerated() {
      let below = x.bitPattern & 0xFFFF_0000
      let candidates = [below, below + 0x1_0000]
      let nearest = candidates.min { first, second in
        let distances = [first, second].map { abs(Double(Float(bitPattern: $0)) - Double(x)) }
        return distances[0] == distances[1]
          ? first & 0x1_0000 == 0 : distances[0] < distances[1]
      }
      #expect(UInt32(rounded[index]) << 16 == nearest)
    }
  }

  /// Words of two rows, whether they are rounded on the way or were before; a missing row is zeros.
  @Test(arguments: [1, 5, 16, 133])
  func pairsHoldBothRows(count: Int) {
    let matrix = workspace.normals(rows: 2, columns: count, stream: 1)
    let second = matrix.elements + count
    for build in VectorMath.builds {
      var rounded = [UInt16](repeating: 0, count: 2 * count)
      build.pointee.roundToBFloat16(matrix.elements, 2 * count, &rounded)
      let (first, last) = (rounded[..<count], rounded[count...])
      let both = zip(first, last).map { UInt32($0) | UInt32($1) << 16 }
      var words = [UInt32](repeating: 0, count: count)
      build.pointee.roundPairToBFloat16(matrix.elements, second, count, &words)
      #expect(words == both)
      build.pointee.roundPairToBFloat16(matrix.elements, nil, count, &words)
      #expect(words == first.map(UInt32.init))
      build.pointee.pairBFloat16(rounded, Array(last), count, &words)
      #expect(words == both)
      build.pointee.pairBFloat16(rounded, nil, count, &words)
      #expect(words == first.map(UInt32.init))
    }
  }
}

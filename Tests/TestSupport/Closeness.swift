import Matrices
import Randomness

/// The first places where two lists of numbers differ by more than `atol + rtol * |expected|`, as text; nil if
/// there are none. Lists of unlike lengths differ.
public func difference<Actual: Sequence, Expected: Sequence>(
  _ actual: Actual, _ expected: Expected, atol: Double, rtol: Double
) -> String? where Actual.Element: BinaryFloatingPoint, Expected.Element: BinaryFloatingPoint {
  let actual = actual.map { Double($0) }
  let expected = expected.map { Double($0) }
  guard actual.count == expected.count else {
    return "\(actual.count) numbers instead of \(expected.count)"
  }
  guard !expected.isEmpty else { return "nothing to compare" }
  var places: [String] = []
  for (index, (a, e)) in zip(actual, expected).enumerated() {
    if !(abs(a - e) <= atol + rtol * abs(e)) { places.append("[\(index)]: \(a) instead of \(e)") }
  }
  return places.isEmpty
    ? nil : "\(places.count) of \(actual.count) differ: \(places.prefix(4).joined(separator: ", "))"
}

extension Workspace {
  /// A matrix of zeros, for tests that could do nothing without memory.
  public func testMatrix(rows: Int, columns: Int) -> Matrix {
    guard let matrix = try? matrix(rows: rows, columns: columns) else {
      preconditionFailure("no memory for a test's matrix of \(rows) x \(columns)")
    }
    return matrix
  }

  /// A matrix of normal numbers times `deviation`, fixed by `stream`.
  public func normals(
    rows: Int, columns: Int, stream: UInt32, deviation: Float = 1
  ) -> Matrix {
    let matrix = testMatrix(rows: rows, columns: columns)
    RandomSource(seed: 20_240_229).fillNormals(matrix, stream: stream, step: 0, firstSample: 0)
    for index in matrix.buffer.indices { matrix.buffer[index] *= deviation }
    return matrix
  }
}

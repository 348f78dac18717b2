import Matrices

/// Gradients by central differences, to be compared with those of backward.
///
/// The loss is Σ cotangent * output, summed in Double, with a fixed random cotangent: its gradient is what
/// backward gives for the cotangent.
///
/// Step and tolerance: a float32 output of size y carries an error of about ε y with ε = 2⁻²⁴, n outputs add up to
/// about ε y √n, so a difference quotient with step h is wrong by about ε y √n / h from rounding and h² |f'''| / 6 from
/// truncation. With h = 2⁻⁷, y ≈ 1, √n ≈ 8 that is 6e-5 and, for |f'''| of up to about 30, 3e-4.
public enum FiniteDifferences {
  public static let step: Float = 1 / 128
  public static let tolerance = 5e-4

  /// Σ cotangent * output.
  public static func loss(_ output: Matrix, _ cotangent: Matrix) -> Double {
    precondition(output.count == cotangent.count)
    return zip(output.buffer, cotangent.buffer).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// (loss(x + h) - loss(x - h)) / 2h for each element of `variable`.
  public static func gradient(
    of variable: Matrix, loss: () throws -> Double
  ) rethrows -> [Double] {
    try variable.buffer.indices.map { index in
      let value = variable.buffer[index]
      defer { variable.buffer[index] = value }
      variable.buffer[index] = value + step
      let above = try loss()
      let high = variable.buffer[index]
      variable.buffer[index] = value - step
      let below = try loss()
      let low = variable.buffer[index]
      return (above - below) / (Double(high) - Double(low))
    }
  }
}

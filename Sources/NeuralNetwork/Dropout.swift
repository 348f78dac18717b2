import Matrices

/// Inverted dropout in place: a unit is dropped with a probability, or multiplied by 1 / (1 - probability).
///
/// PyTorch's `nn.Dropout` in training mode (Srivastava et al., 2014). Each global sample has masks of its
/// own, whatever rank owns it.
public final class Dropout {
  /// `[rows, features]`: the values and gradients that are multiplied in place.
  public let signal: Signal
  /// `[rows, features]`: 0 or 1 / (1 - probability).
  public let multipliers: Matrix
  private let probability: Double

  /// - Throws: `MemoryError`.
  public init(_ signal: Signal, probability: Double, workspace: Workspace) throws {
    self.signal = signal
    self.probability = probability
    multipliers = try workspace.matrix(rows: signal.value.rows, columns: signal.value.columns)
  }

  /// Draws the masks of some rows: row `rows.lowerBound` is global sample `firstSample` of the stream.
  public func draw(
    rows: Range<Int>, from random: RandomSource, stream: UInt32, step: Int, firstSample: Int
  ) {
    random.fillDropoutMultipliers(
      multipliers.rows(rows), probability: probability, stream: stream, step: step,
      firstSample: firstSample)
  }

  /// value *= multipliers.
  public func forward() {
    VectorMath.multiply(signal.value, by: multipliers)
  }

  /// gradient *= multipliers.
  public func backward() {
    guard let gradient = signal.gradient else { return }
    VectorMath.multiply(gradient, by: multipliers)
  }
}

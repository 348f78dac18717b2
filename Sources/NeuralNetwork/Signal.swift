import Collectives
import Matrices

/// What flows forward between two layers, and the gradient of the loss that flows back over the same place.
///
/// Several passes over a network may be stacked: pass 0's B rows, then those of pass 1. All rows of the global batch
/// are there, in memory that a host's ranks share.
public struct Signal {
  /// `[passes * B, features]`.
  public let value: Matrix
  /// dLoss/dvalue of the last passes, `[differentiable passes * B, features]`; nil where nothing flows back.
  public let gradient: Matrix?
  /// The differentiable passes as weight gradients read them in bfloat16.
  let valuePairs, gradientPairs: PairedRows?
  public let passes: Int
  public let differentiablePasses: Int

  /// A signal of zeros. Every rank must call this.
  /// - Parameters:
  ///   - differentiablePasses: how many of the last passes have a gradient.
  ///   - precision: in which weight gradients read it.
  /// - Throws: what the collective throws.
  public init(
    features: Int, passes: Int = 1, differentiablePasses: Int, precision: Precision = .float32,
    of batch: DistributedBatch
  ) throws {
    let value = try batch.matrix(rows: passes * batch.rows, columns: features)
    let gradient =
      differentiablePasses == 0
      ? nil : try batch.matrix(rows: differentiablePasses * batch.rows, columns: features)
    try self.init(
      value: value, passes: passes, gradient: gradient, differentiablePasses: differentiablePasses,
      precision: precision, of: batch)
  }

  /// A signal whose numbers are elsewhere. Every rank must call this.
  /// - Throws: what the collective throws.
  public init(
    value: Matrix, passes: Int = 1, gradient: Matrix?, differentiablePasses: Int,
    precision: Precision = .float32, of batch: DistributedBatch
  ) throws {
    precondition(
      value.rows == passes * batch.rows && differentiablePasses <= passes
        && (gradient?.rows ?? 0) == (gradient == nil ? 0 : differentiablePasses * batch.rows))
    (self.value, self.gradient) = (value, gradient)
    (self.passes, self.differentiablePasses) = (passes, differentiablePasses)
    func pairs(_ isNeeded: Bool) throws -> PairedRows? {
      guard precision == .bfloat16 && isNeeded else { return nil }
      let words = try batch.collective.makeNumbers(
        of: UInt32.self,
        count: PairedRows.wordCount(
          passes: differentiablePasses, rowsOfPass: batch.rows, columns: value.columns),
        for: "a matrix in bfloat16")
      return PairedRows(
        words: words.baseAddress!, columns: value.columns, rowsOfPass: batch.rows)
    }
    valuePairs = try pairs(differentiablePasses > 0)
    gradientPairs = try pairs(gradient != nil)
  }

  /// Rows of one pass.
  public func value(_ rows: Range<Int>, ofPass pass: Int) -> Matrix {
    Self.rows(rows, ofPass: pass, in: value, passes: passes)
  }

  /// The gradient of the same rows; nil if nothing flows back.
  func gradient(_ rows: Range<Int>, ofPass pass: Int) -> Matrix? {
    gradient.map {
      Self.rows(
        rows, ofPass: pass - passes + differentiablePasses, in: $0, passes: differentiablePasses)
    }
  }

  private static func rows(
    _ rows: Range<Int>, ofPass pass: Int, in matrix: Matrix, passes: Int
  ) -> Matrix {
    let begin = pass * (matrix.rows / passes)
    return matrix.rows(begin + rows.lowerBound..<begin + rows.upperBound)
  }

  /// The passes that have a gradient.
  var lastPasses: Range<Int> { passes - differentiablePasses..<passes }

  /// ``value`` of those passes.
  public var differentiableValue: Matrix {
    let rows = value.rows / passes * differentiablePasses
    return value.rows(value.rows - rows..<value.rows)
  }
}

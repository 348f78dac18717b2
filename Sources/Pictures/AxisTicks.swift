import Glibc
import Texts

/// The marked places of an axis and what is written at them.
struct AxisTicks: Equatable {
  let values: [Double]
  let labels: [String]

  /// Ticks at multiples of 1, 2 or 5 times a power of ten.
  ///
  /// - Parameter maximumCount: The most ticks there is room for, at least 2.
  init(range: AxisRange, maximumCount: Int) {
    let step = Step(covering: range.span, maximumCount: maximumCount)
    values = step.multiples(in: range, maximumCount: maximumCount)
    labels = Self.labels(values, stepExponent: step.exponent)
  }

  /// Ticks at whole epochs: the first one, then multiples of 1, 2 or 5 times a power of ten.
  ///
  /// - Parameter maximumCount: The most ticks there is room for, at least 2.
  init(firstEpoch: Double, lastEpoch: Double, maximumCount: Int) {
    let range = AxisRange(lower: firstEpoch, upper: max(firstEpoch, lastEpoch))
    let step = Step(
      covering: max(range.span, Double(max(maximumCount, 2) - 1)), maximumCount: maximumCount)
    // A multiple next to the first epoch would run into its label.
    let multiples = step.multiples(in: range, maximumCount: maximumCount)
      .filter { $0 - firstEpoch >= step.size / 2 }
    values = [firstEpoch] + multiples
    labels = values.map { $0.fixed(0) }
  }

  /// Labels with as many decimals as tell the steps apart, with an exponent for huge or tiny ones.
  private static func labels(_ values: [Double], stepExponent: Int) -> [String] {
    let greatest = values.map(\.magnitude).max() ?? 0
    guard greatest >= 1e6 || stepExponent < -6, greatest > 0 else {
      return values.map { $0.fixed(max(0, -stepExponent)) }
    }
    let exponent = Int(log10(greatest).rounded(.down))
    return values.map { value in
      guard value != 0 else { return "0" }
      let mantissa = value / pow(10, Double(exponent))
      return mantissa.fixed(max(0, exponent - stepExponent)) + "e\(exponent)"
    }
  }
}

/// A distance between ticks that reads well: 1, 2 or 5 times a power of ten.
private struct Step {
  let digit: Double
  let exponent: Int

  /// The least step by which at most `maximumCount` ticks cover a span.
  init(covering span: Double, maximumCount: Int) {
    let least = span / Double(max(maximumCount, 2) - 1)
    let exponent = Int(log10(least).rounded(.down))
    let power = pow(10, Double(exponent))
    // The tolerance keeps a rounding error from doubling a step that fits exactly.
    let digit = [1.0, 2, 5].first { $0 * power >= least * (1 - 1e-9) }
    self.digit = digit ?? 1
    self.exponent = digit == nil ? exponent + 1 : exponent
  }

  var size: Double { multiple(1) }

  /// Divides by negative powers, which are exact where their reciprocals are not.
  private func multiple(_ index: Double) -> Double {
    exponent < 0
      ? index * digit / pow(10, Double(-exponent)) : index * digit * pow(10, Double(exponent))
  }

  func multiples(in range: AxisRange, maximumCount: Int) -> [Double] {
    let first = (range.lower / size - 1e-9).rounded(.up)
    let last = (range.upper / size + 1e-9).rounded(.down)
    guard last >= first else { return [] }
    let count = Int(min(last - first, Double(max(maximumCount, 2)))) + 1
    // Adding 0 turns -0 into 0.
    return (0..<count).map { multiple(first + Double($0)) + 0 }
  }
}

/// The part of the number line an axis shows.
struct AxisRange: Equatable {
  let lower: Double
  let upper: Double

  var span: Double { upper - lower }

  /// Where a value lies between the ends, 0 ... 1 when it is inside.
  func share(of value: Double) -> Double { (value - lower) / span }

  /// Whether a value can be a point of a curve: finite, and small enough for sums not to overflow.
  static func isDrawable(_ value: Double) -> Bool { value.magnitude < 1e150 }

  /// The range of all drawable values with a little air, never empty.
  ///
  /// Without any value it is 0 ... 1. A constant has a tenth of itself on either side.
  init(around values: some Sequence<Double>) {
    let drawable = values.filter(Self.isDrawable)
    guard let least = drawable.min(), let greatest = drawable.max() else {
      self.init(lower: 0, upper: 1)
      return
    }
    let size = max(least.magnitude, greatest.magnitude)
    // Narrower than this, tick labels would need more digits than anyone reads.
    if greatest - least > max(size * 1e-9, 1e-100) {
      let air = (greatest - least) * 0.06
      self.init(lower: least - air, upper: greatest + air)
    } else {
      let middle = size > 1e-100 ? least : 0
      let air = size > 1e-100 ? size * 0.1 : 1
      self.init(lower: middle - air, upper: middle + air)
    }
  }

  init(lower: Double, upper: Double) {
    self.lower = lower
    self.upper = upper
  }
}

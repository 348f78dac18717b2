import Testing

@testable import Pictures

@Suite struct AxisRangeTests {
  @Test func noValuesGiveTheUnitRange() {
    #expect(AxisRange(around: [Double]()) == AxisRange(lower: 0, upper: 1))
    #expect(AxisRange(around: [Double.nan, .infinity]) == AxisRange(lower: 0, upper: 1))
  }

  @Test func thereIsAirAroundTheValues() {
    let range = AxisRange(around: [1, 3, .nan, 2])
    #expect(range.lower < 1 && range.lower > 0.8)
    #expect(range.upper > 3 && range.upper < 3.2)
  }

  @Test(arguments: [0, -0.0, 0.6931, -5, 1e-200, 1e140, .leastNonzeroMagnitude])
  func aConstantLiesInside(value: Double) {
    let range = AxisRange(around: [value, value])
    #expect(range.lower < value && value < range.upper)
    #expect(range.span.isFinite)
  }

  @Test func valuesTooLargeForSumsAreNoPoints() {
    #expect(!AxisRange.isDrawable(.greatestFiniteMagnitude))
    #expect(!AxisRange.isDrawable(-.infinity))
    #expect(!AxisRange.isDrawable(.nan))
    #expect(AxisRange.isDrawable(-1e12))
  }

  @Test func sharesGoFromEndToEnd() {
    let range = AxisRange(lower: -1, upper: 3)
    #expect(range.share(of: -1) == 0)
    #expect(range.share(of: 0) == 0.25)
    #expect(range.share(of: 3) == 1)
  }
}

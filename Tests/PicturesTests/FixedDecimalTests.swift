import Testing

@testable import Pictures

@Suite struct FixedDecimalTests {
  private static let cases: [(Double, Int, String)] = [
    (0, 2, "0.00"), (1, 2, "1.00"), (1.0 / 7, 2, "0.14"), (-0.05, 1, "-0.1"),
    (-0.001, 2, "0.00"), (1234, 0, "1234"), (12.5, 3, "12.500"), (-7, -2, "-7"),
  ]

  @Test(arguments: cases)
  func text(value: Double, places: Int, expected: String) {
    #expect(fixedDecimal(value, places: places) == expected)
  }

  @Test func whatHasNoDigitsLeftIsStillWritten() {
    #expect(fixedDecimal(.infinity, places: 2) == "inf")
    #expect(fixedDecimal(.nan, places: 2) == "nan")
    #expect(fixedDecimal(1e300, places: 0) == "1e+300")
  }
}

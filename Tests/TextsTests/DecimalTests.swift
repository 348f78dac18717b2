import Testing
import Texts

@Suite struct DecimalTests {
  private static let cases: [(Double, Int, String)] = [
    (0, 2, "0.00"), (1, 2, "1.00"), (1.0 / 7, 2, "0.14"), (-0.05, 1, "-0.1"),
    (-0.001, 2, "0.00"), (1234, 0, "1234"), (12.5, 3, "12.500"), (-7, 0, "-7"),
    (.infinity, 2, "inf"), (-.infinity, 2, "-inf"), (.nan, 2, "nan"),
  ]

  @Test(arguments: cases)
  func text(value: Double, decimals: Int, expected: String) {
    #expect(value.fixed(decimals) == expected)
  }

  @Test func hugeNumbersAreWritten() {
    #expect(1e300.fixed(0).count == 301 && (-Double.greatestFiniteMagnitude).fixed(9).count == 320)
  }

  @Test func numbersAreRanges() {
    #expect([0, 1, 2, 3, 5].ranges() == "0-3, 5")
    #expect([7].ranges() == "7" && [Int]().ranges() == "")
    #expect([0, 2, 3].ranges(separator: ",") == "0,2-3")
  }
}

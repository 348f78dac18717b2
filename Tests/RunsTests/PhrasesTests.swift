import GANTraining
import Testing

@testable import Runs

/// Numbers in the program's lines.
@Suite struct PhrasesTests {
  @Test(arguments: [
    (0, "0"), (999, "999"), (1000, "1,000"), (60000, "60,000"), (-1_234_567, "-1,234,567"),
    (Int.min, "-9,223,372,036,854,775,808"),
  ])
  func digitsStandInThrees(number: Int, text: String) {
    #expect(Phrases.count(number) == text)
  }

  @Test func whatNoIntegerHoldsIsStillSaid() {
    #expect(Phrases.count(59999.7) == "59,999")
    #expect(Phrases.count(Double.infinity) == Phrases.count(Int.max))
    #expect(Phrases.count(-1e300) == Phrases.count(Int.min))
    #expect(Phrases.count(Double.nan) == "?")
  }

  @Test func oneIsNotMany() {
    #expect(Phrases.count(1, "rank") == "1 rank")
    #expect(Phrases.count(0, "rank") == "0 ranks")
  }

  @Test(arguments: [
    (0.4, "0:00"), (41.6, "0:42"), (725, "12:05"), (3723, "1:02:03"), (1e9, "?"), (.nan, "?"),
  ])
  func durationsAreRounded(seconds: Double, text: String) {
    #expect(Phrases.duration(seconds) == text)
  }

  @Test func epochsAreAligned() {
    #expect(Phrases.epoch(7, of: 100) == "epoch   7/100")
    #expect(Phrases.padded(12345, to: 4, with: "0") == "12345")
  }
}

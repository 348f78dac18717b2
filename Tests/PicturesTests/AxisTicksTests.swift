import Testing

@testable import Pictures

@Suite struct AxisTicksTests {
  @Test func stepsOfTwoTenths() {
    let ticks = AxisTicks(range: AxisRange(lower: 0.85, upper: 1.83), maximumCount: 8)
    #expect(ticks.values == [1.0, 1.2, 1.4, 1.6, 1.8])
    #expect(ticks.labels == ["1.0", "1.2", "1.4", "1.6", "1.8"])
  }

  @Test func endsThatAreTicksAreKept() {
    let ticks = AxisTicks(range: AxisRange(lower: 0, upper: 1), maximumCount: 6)
    #expect(ticks.labels == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
  }

  @Test func stepsOfFiveHundredths() {
    let ticks = AxisTicks(range: AxisRange(lower: 0.5, upper: 0.7), maximumCount: 6)
    #expect(ticks.labels == ["0.50", "0.55", "0.60", "0.65", "0.70"])
  }

  @Test func negativeValuesAndZero() {
    let ticks = AxisTicks(range: AxisRange(lower: -30, upper: 30), maximumCount: 7)
    #expect(ticks.labels == ["-30", "-20", "-10", "0", "10", "20", "30"])
  }

  @Test func hugeValuesHaveAnExponent() {
    let ticks = AxisTicks(range: AxisRange(lower: 0, upper: 4e12), maximumCount: 5)
    #expect(ticks.labels == ["0", "1e12", "2e12", "3e12", "4e12"])
  }

  @Test func tinyValuesHaveAnExponent() {
    let ticks = AxisTicks(range: AxisRange(lower: 0, upper: 4e-9), maximumCount: 5)
    #expect(ticks.labels == ["0", "1e-9", "2e-9", "3e-9", "4e-9"])
  }

  @Test(arguments: [1e-90, 1e-7, 0.003, 0.7, 1, 1.5, 9.99, 64, 12345, 1e9, 1e149])
  func neverMoreTicksThanRoom(span: Double) {
    for maximumCount in 2...12 {
      let ticks = AxisTicks(
        range: AxisRange(lower: -span / 3, upper: span), maximumCount: maximumCount)
      #expect((1...maximumCount).contains(ticks.values.count))
      #expect(ticks.values.allSatisfy { $0 >= -span / 3 && $0 <= span * (1 + 1e-6) })
      #expect(Set(ticks.labels).count == ticks.labels.count)
    }
  }

  @Test func fewEpochsAreAllMarked() {
    let ticks = AxisTicks(firstEpoch: 1, lastEpoch: 10, maximumCount: 11)
    #expect(ticks.labels == (1...10).map(String.init))
  }

  @Test func twoEpochsHaveNoFractions() {
    #expect(AxisTicks(firstEpoch: 1, lastEpoch: 2, maximumCount: 11).labels == ["1", "2"])
  }

  @Test func oneEpochHasOneTick() {
    #expect(AxisTicks(firstEpoch: 7, lastEpoch: 7, maximumCount: 11).labels == ["7"])
  }

  @Test func manyEpochsBeginAtTheFirst() {
    let ticks = AxisTicks(firstEpoch: 1, lastEpoch: 100, maximumCount: 9)
    #expect(ticks.labels == ["1", "20", "40", "60", "80", "100"])
  }

  @Test func aMultipleBesideTheFirstEpochIsLeftOut() {
    let ticks = AxisTicks(firstEpoch: 19, lastEpoch: 118, maximumCount: 9)
    #expect(ticks.labels == ["19", "40", "60", "80", "100"])
  }

  @Test func epochsBeyondExactNumbersDoNotCrash() {
    let last = Double(Int.max)
    let ticks = AxisTicks(firstEpoch: last - 4096, lastEpoch: last, maximumCount: 5)
    #expect(ticks.values.first == last - 4096)
  }
}

import Runs
import Testing

/// What a benchmark advises, from points that are given.
struct ScalingAdviceTests {
  private typealias Point = ScalingAdvice.Point

  private static func advice(_ points: [Point], hosts: Int = 2) -> ScalingAdvice {
    ScalingAdvice(hostCount: hosts, points: points, exposedMilliseconds: 2.5)
  }

  @Test func goodBatchSizeIsInterpolatedBetweenTwoPoints() {
    // 60 % at 64 and 100 % at 256: half-way in the logarithm, so 128, and no digit more than is known.
    let advice = Self.advice([
      Point(batchSize: 64, oneHost: 12, allHosts: 10),
      Point(batchSize: 256, oneHost: 40, allHosts: 20),
    ])
    #expect(advice.goodBatchSize == 130)
    #expect(advice.isComplete)
    #expect(
      advice.line.contains(
        "2 hosts are 1.20 times as fast as one host (12.00 ms a step) at batch 64"))
    #expect(advice.line.contains("wait 2.50 ms a step"))
    #expect(advice.line.contains("80 % of 2 times one host from some 130 images a batch on"))
  }

  @Test func firstPointMayBeGoodAlready() {
    let advice = Self.advice([Point(batchSize: 96, oneHost: 40, allHosts: 10)], hosts: 4)
    #expect(advice.goodBatchSize == 96)
    #expect(advice.line.hasSuffix("they reach 80 % of 4 times one host"))
  }

  @Test func noPointIsGood() {
    let advice = Self.advice([
      Point(batchSize: 64, oneHost: 12, allHosts: 24),
      Point(batchSize: 128, oneHost: 20, allHosts: 25),
    ])
    #expect(advice.goodBatchSize == nil)
    #expect(!advice.isComplete)
    #expect(advice.line.hasSuffix("do not reach 80 % of 2 times one host up to 128 images a batch"))
  }

  @Test func aDipDoesNotHideTheFirstGoodBatch() {
    let advice = Self.advice([
      Point(batchSize: 64, oneHost: 10, allHosts: 10),
      Point(batchSize: 128, oneHost: 20, allHosts: 12),
      Point(batchSize: 256, oneHost: 40, allHosts: 30),
    ])
    #expect(advice.goodBatchSize.map { (65...128).contains($0) } == true)
  }
}

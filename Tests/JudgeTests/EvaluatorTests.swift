import Collectives
import MNISTFamily
import TestSupport
import Testing

@testable import Judge

@Suite struct EvaluatorTests {
  private static func evaluate(
    _ generated: ImageDataSet, over collective: any Collective, closestCount: Int = 0
  ) throws -> ImageEvaluation {
    let training = try BarImages.make(400)
    let evaluator = try Evaluator(
      Judge(of: training, over: collective), training: training,
      test: BarImages.make(90, seed: 5), count: generated.imageCount, findsCopies: true,
      over: collective)
    return try generated.withUnsafePixels {
      // Twice: what is kept from the first time must not change the second.
      _ = try evaluator.evaluate($0)
      return try evaluator.evaluate($0, closestCount: closestCount).evaluation
    }
  }

  @Test func imagesAsGoodAsRealOnesReachTheFloor() throws {
    let result = try Self.evaluate(BarImages.make(80, seed: 11), over: SoloCollective())
    #expect(result.againstTest.frechet < 4 * result.floor.frechet)
    #expect(result.againstTest.recall > 0.7 && result.againstTest.coverage > 0.7)
    #expect(result.generatedClasses.histogram == [20, 20, 20, 20])
    #expect(try abs(#require(result.copying).deviations) < 4)
  }

  @Test func oneClassOnlyIsSeen() throws {
    let all = try BarImages.make(320, seed: 11)
    let one = try ImageDataSet(imageCount: 80, imageHeight: 8, imageWidth: 8)
    all.withUnsafePixels { all in
      one.withUnsafeMutablePixels { one in
        for index in one.indices { one[index] = all[index / 64 * 256 + index % 64] }
      }
    }
    let result = try Self.evaluate(one, over: SoloCollective())
    #expect(result.generatedClasses.histogram == [80, 0, 0, 0])
    #expect(result.generatedClasses.distanceFromUniform == 0.75)
    #expect(result.againstTest.coverage < 0.4)
    #expect(result.againstTest.frechet > 20 * result.floor.frechet)
  }

  @Test func copiesAreFound() throws {
    // The same seed gives the training images again.
    let result = try Self.evaluate(BarImages.make(80), over: SoloCollective(), closestCount: 3)
    let copying = try #require(result.copying)
    #expect(copying.deviations < -5 && copying.shareFarther == 0)
    #expect(copying.closest.map(\.generated) == [0, 1, 2])
    #expect(copying.closest.map(\.training) == [0, 1, 2])
    #expect(copying.closest.allSatisfy { $0.distance == 0 })
  }

  @Test func anyRanksAndHostsGiveTheSameBits() throws {
    func results(_ hosts: [[Int]], threads: Int) -> [ImageEvaluation] {
      ThreadTeam.run(hosts: hosts, threads: threads) {
        try Self.evaluate(BarImages.make(83, seed: 11), over: $0, closestCount: 5)
      }
    }
    let one = results([[0]], threads: 1)[0]
    for result in results([[0, 1, 2]], threads: 1) + results([[0, 1], [2]], threads: 2) {
      #expect(result == one)
    }
  }

  @Test func tooFewImagesAreRefused() throws {
    let training = try BarImages.make(100)
    let judge = try Judge(of: training, over: SoloCollective())
    #expect(throws: JudgeError.self) {
      try Evaluator(
        judge, training: training, test: BarImages.make(5), count: 50, findsCopies: false,
        over: SoloCollective())
    }
  }
}

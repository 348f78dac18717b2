import Testing

@testable import ImageMetrics

@Suite struct FeatureComparisonTests {
  /// No multiples of the 4 and 16 that the kernel takes, nor of the 64 rows of a piece.
  private let first = Sets.features(131, size: 5, seed: 1)
  private let second = Sets.features(77, size: 5, seed: 2)

  @Test func neighboursAreThoseOfAPlainSearch() {
    let results = FeatureComparison(first, with: second, .neighbours).run()
    #expect(results.count == 131)
    for (row, result) in results.enumerated() {
      let distances = (0..<77).map { Sets.squaredDistance(first, row, second, $0) }
      #expect(result.distances == Array(distances.sorted().prefix(5)))
      #expect(distances[result.nearestIndex] == distances.min())
    }
  }

  @Test func withinASetAnImageIsNotItsOwnNeighbour() {
    for (row, result) in FeatureComparison(within: second).run().enumerated() {
      let distances = (0..<77).filter { $0 != row }.map {
        Sets.squaredDistance(second, row, second, $0)
      }
      #expect(result.distances == Array(distances.sorted().prefix(5)))
      #expect(result.nearestIndex != row)
    }
  }

  @Test func ofTwoEqualNeighboursTheFirstIsTheNearest() {
    let images = FeatureSet([0, 0, 1, 1, 1, 1], size: 2)
    let result = FeatureComparison(FeatureSet([1, 1], size: 2), with: images, .neighbours).run()[0]
    #expect(result.nearestIndex == 1)
    #expect(result.distances == [0, 0, 2, .infinity, .infinity])
  }

  @Test func kernelSumsAreThoseOfScalarProducts() {
    for (row, result) in FeatureComparison(first, with: second, .kernel).run().enumerated() {
      let sum = (0..<77).reduce(0.0) { sum, other in
        let product = (0..<5).reduce(0.0) {
          $0 + Double(first.values[row * 5 + $1]) * Double(second.values[other * 5 + $1])
        }
        let base = product / 5 + 1
        return sum + base * base * base
      }
      #expect(abs(result.kernelSum - sum) < 1e-12 * abs(sum))
    }
  }

  @Test func ballsIncludeTheThirdNeighbourAndExcludeTheFifth() {
    // On a line at 0, 1, 2, 3, 4, 5: the third neighbour of 0 is 3 away, its fifth 5.
    let line = FeatureSet([0, 1, 2, 3, 4, 5], size: 1)
    let radii = FeatureComparison.Radii(FeatureComparison(within: line).run())
    #expect(radii.third == [9, 4, 4, 4, 4, 9])
    #expect(radii.fifth == [25, 16, 9, 9, 16, 25])
    let result = FeatureComparison(FeatureSet([-3], size: 1), with: line, .balls(radii)).run()[0]
    #expect(result.ballsOfThird == 1)
    #expect(result.ballsOfFifth == 1)
    let atFive = FeatureComparison(FeatureSet([-5], size: 1), with: line, .balls(radii)).run()[0]
    #expect(atFive.ballsOfThird == 0)
    #expect(atFive.ballsOfFifth == 0)
  }

  @Test(arguments: [1, 3, 64, 100]) func rowsHaveTheSameBitsWhoeverComparesThem(share: Int) {
    let radii = FeatureComparison.Radii(FeatureComparison(within: second).run())
    let comparison = FeatureComparison(first, with: second, .balls(radii))
    var parts = [ImageComparison](repeating: ImageComparison(), count: comparison.count)
    parts.withUnsafeMutableBufferPointer { parts in
      for begin in stride(from: 0, to: comparison.count, by: share) {
        let rows = begin..<min(begin + share, comparison.count)
        comparison.run(rows, into: UnsafeMutableBufferPointer(rebasing: parts[rows]))
      }
    }
    #expect(parts == comparison.run())
  }
}

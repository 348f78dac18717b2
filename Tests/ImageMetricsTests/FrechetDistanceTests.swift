import Testing

@testable import ImageMetrics

@Suite struct FrechetDistanceTests {
  private func distance(_ first: FeatureSet, _ second: FeatureSet) throws -> Double {
    try FrechetDistance.between(FeatureMoments(first), FeatureMoments(second))
  }

  @Test func ofASetToItselfItIsNothing() throws {
    let set = Sets.features(200, size: 8, seed: 1)
    #expect(try distance(set, set) < 1e-12)
  }

  @Test func momentsAreThoseOfNumPy() {
    // numpy.cov([[1, 2], [3, 6], [5, 4]], rowvar=False)
    let moments = FeatureMoments(FeatureSet([1, 2, 3, 6, 5, 4], size: 2))
    #expect(moments.mean == [3, 4])
    #expect(moments.covariance == [4, 2, 2, 4])
  }

  @Test func ofShiftedSetsItIsTheSquareOfTheShift() throws {
    let (first, second) = (
      Sets.features(300, size: 4, seed: 1), Sets.features(300, size: 4, seed: 1, shift: 2)
    )
    #expect(abs(try distance(first, second) - 16) < 1e-5)
  }

  @Test func ofScaledSetsItIsKnown() throws {
    // Σ2 = 9 Σ1, so that the distance is (3 - 1)² tr(Σ1) beside that of the means.
    let first = Sets.features(400, size: 5, seed: 3)
    let moments = FeatureMoments(first)
    let second = FeatureSet(first.values.map { $0 * 3 }, size: 5)
    let trace = (0..<5).reduce(0.0) { $0 + moments.covariance[$1 * 6] }
    let means = moments.mean.reduce(0.0) { $0 + 4 * $1 * $1 }
    #expect(abs(try distance(first, second) - 4 * trace - means) < 1e-5)
  }

  @Test func bothOrdersGiveTheSame() throws {
    let (first, second) = (
      Sets.features(60, size: 6, seed: 1), Sets.features(50, size: 6, seed: 2, shift: 0.3)
    )
    let (forth, back) = (try distance(first, second), try distance(second, first))
    #expect(abs(forth - back) < 1e-12 * forth)
  }

  @Test func collapsedImagesAreNoError() throws {
    let real = Sets.features(100, size: 6, seed: 1)
    let collapsed = FeatureSet([Float](repeating: 0.5, count: 60), size: 6)
    let moments = FeatureMoments(real)
    var expected = 0.0
    for index in 0..<6 {
      let shift = moments.mean[index] - 0.5
      expected += moments.covariance[index * 7] + shift * shift
    }
    #expect(abs(try distance(real, collapsed) - expected) < 1e-9)
    #expect(try distance(collapsed, collapsed) == 0)
  }

  @Test func fewerImagesThanFeaturesAreNoError() throws {
    let value = try distance(
      Sets.features(4, size: 40, seed: 1), Sets.features(5, size: 40, seed: 2))
    #expect(value > 0 && value.isFinite)
  }

  @Test func notFiniteFeaturesAreAnError() {
    let broken = FeatureSet([1, 2, .nan, 4], size: 2)
    #expect(throws: EigenvalueError.self) { try distance(broken, broken) }
  }
}

@Suite struct SymmetricEigenTests {
  /// LAPACK must find a whole BLAS: one without products would give numbers all the same.
  @Test(arguments: [1, 3, 4, 40, 128]) func vectorsAndValuesMakeTheMatrixAgain(size: Int) throws {
    let matrix = FeatureMoments(Sets.features(3 * size + 2, size: size, seed: 7)).covariance
    let eigen = try SymmetricEigen(matrix, size: size)
    #expect(eigen.values == eigen.values.sorted())
    for row in 0..<size {
      for column in 0..<size {
        var value = 0.0
        for (index, scale) in eigen.values.enumerated() {
          value += scale * eigen.vectors[index * size + row] * eigen.vectors[index * size + column]
        }
        #expect(abs(value - matrix[row * size + column]) < 1e-12)
      }
    }
  }
}

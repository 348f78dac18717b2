import Testing

@testable import ImageMetrics

@Suite struct SetMetricsTests {
  private func neighbourhoods(_ generated: FeatureSet, _ real: FeatureSet) -> Neighbourhoods {
    let realWithin = FeatureComparison(within: real).run()
    let generatedWithin = FeatureComparison(within: generated).run()
    return Neighbourhoods(
      generated: FeatureComparison(
        generated, with: real, .balls(.init(realWithin))
      ).run(),
      real: FeatureComparison(real, with: generated, .balls(.init(generatedWithin))).run(),
      realWithin: realWithin)
  }

  @Test func imagesFarAwayHaveNeitherQualityNorVariety() {
    let values = neighbourhoods(
      Sets.features(50, seed: 1, shift: 100), Sets.features(60, seed: 2))
    #expect(values.precision == 0 && values.recall == 0)
    #expect(values.density == 0 && values.coverage == 0)
  }

  @Test func copiesOfOneImageHaveQualityWithoutVariety() {
    let real = Sets.features(60, seed: 2)
    let copies = FeatureSet(
      (0..<50).flatMap { (_: Int) -> [Float] in Array(real.values[0..<3]) }, size: 3)
    let values = neighbourhoods(copies, real)
    #expect(values.precision == 1)
    #expect(values.recall == 1.0 / 60)  // The image itself, at the distance 0.
    #expect(values.coverage < 0.5)
  }

  @Test func aSetAgainstItselfIsPerfect() {
    let real = Sets.features(60, seed: 2)
    let values = neighbourhoods(real, real)
    #expect(values.precision == 1 && values.recall == 1 && values.coverage == 1)
  }

  @Test func theKernelDistanceIsThatOfItsDefinition() {
    let (x, y) = (FeatureSet([0, 1, 2], size: 1), FeatureSet([1, 3], size: 1))
    func kernel(_ a: Double, _ b: Double) -> Double { (a * b + 1) * (a * b + 1) * (a * b + 1) }
    let within = 2 * (kernel(0, 1) + kernel(0, 2) + kernel(1, 2)) / 6
    var across = 0.0
    for a in [0.0, 1, 2] { across += (kernel(a, 1) + kernel(a, 3)) / 6 }
    let value = KernelDistance.between(
      firstWithin: FeatureComparison(within: x).run(),
      secondWithin: FeatureComparison(within: y).run(),
      across: FeatureComparison(x, with: y, .kernel).run())
    #expect(abs(value - (within + kernel(1, 3) - 2 * across)) < 1e-12)
  }

  @Test func sureAndVariedPredictionsScoreTheNumberOfClasses() {
    var logits = [Float](repeating: 0, count: 40 * 4)
    for image in 0..<40 { logits[image * 4 + image % 4] = 200 }
    let predictions = ClassPredictions(logits: logits, classCount: 4)
    #expect(predictions.histogram == [10, 10, 10, 10])
    #expect(abs(predictions.inceptionScore - 4) < 1e-12)
    #expect(predictions.distanceFromUniform == 0)
  }

  @Test func oneClassScoresOne() {
    let logits = [[Float]](repeating: [0, 3, 1], count: 10).flatMap { $0 }
    let predictions = ClassPredictions(logits: logits, classCount: 3)
    #expect(predictions.histogram == [0, 10, 0])
    #expect(abs(predictions.inceptionScore - 1) < 1e-12)
    #expect(abs(predictions.distanceFromUniform - 2.0 / 3) < 1e-12)
  }

  @Test func copiesAreNearer() {
    let test = CopyingTest(
      generated: (0..<30).map { Double($0) / 100 }, test: (0..<40).map { 1 + Double($0) })
    #expect(test.shareFarther == 0)
    #expect(test.deviations < -5)
  }

  @Test func ranksAreThoseOfSciPy() {
    // scipy.stats.mannwhitneyu(…, use_continuity=False, method="asymptotic"): U = 5, and the two-sided p = 0.21090
    // is that of 1.2510 deviations.
    let test = CopyingTest(generated: [1, 2, 2, 5], test: [2, 3, 4, 4, 6])
    #expect(test.shareFarther == 5.0 / 20)
    #expect(abs(test.deviations + 1.2510) < 1e-4)
  }

  @Test func equalDistancesSayNothing() {
    let test = CopyingTest(generated: [2, 2], test: [2, 2, 2])
    #expect(test.shareFarther == 0.5 && test.deviations == 0)
  }
}

import Testing

@testable import Pictures

@Suite struct TrainingCurvesTests {
  private static let blue: UInt32 = 0x00_72B2
  private static let vermillion: UInt32 = 0xD5_5E00
  private static let green: UInt32 = 0x00_9E73
  private static let purple: UInt32 = 0xCC_79A7

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func picture(_ curves: TrainingCurves) throws -> DecodedPicture {
    let path = folder.file("curves.png")
    try curves.write(to: path)
    return try #require(DecodedPicture(path: path))
  }

  private static func curves(epochs: Int, firstEpoch: Int = 1) -> TrainingCurves {
    func line(from start: Double, to end: Double) -> [Double] {
      (0..<epochs).map { start + (end - start) * Double($0) / Double(max(epochs - 1, 1)) }
    }
    return TrainingCurves(
      firstEpoch: firstEpoch,
      discriminatorLoss: line(from: 0.9, to: 1.26), generatorLoss: line(from: 1.76, to: 1.02),
      realProbability: line(from: 0.70, to: 0.51), fakeProbability: line(from: 0.24, to: 0.39))
  }

  @Test(arguments: [0, 1, 2, 3, 25, 26, 100, 1000])
  func anyNumberOfEpochsIsDrawnInsideTheEdge(epochs: Int) throws {
    let picture = try picture(Self.curves(epochs: epochs))
    #expect(picture.width == 1280)
    #expect(picture.height == 520)
    #expect(picture.hasWhiteFrame(thickness: 4))
  }

  @Test func everyCurveHasItsColour() throws {
    let empty = try picture(Self.curves(epochs: 0))
    let full = try picture(Self.curves(epochs: 100))
    // The legend has the colours too, so only more of them shows a curve.
    for colour in [Self.blue, Self.vermillion, Self.green, Self.purple] {
      #expect(empty.count(of: colour) > 0)
      #expect(full.count(of: colour) > empty.count(of: colour) + 50)
    }
  }

  @Test func oneEpochIsMarked() throws {
    let empty = try picture(Self.curves(epochs: 0))
    let one = try picture(Self.curves(epochs: 1))
    #expect(one.count(of: Self.blue) > empty.count(of: Self.blue) + 20)
  }

  @Test func constantsAreDrawnInTheMiddle() throws {
    let values = [Double](repeating: 0.6931, count: 40)
    var curves = TrainingCurves(discriminatorLoss: values)
    curves.ideal.discriminatorLoss = 0.6931
    let picture = try picture(curves)
    // Left of the middle of the loss panel, between the grid lines and below the legend.
    let rows = (100..<440).filter { picture.pixel(column: 305, row: $0) == Self.blue }
    #expect(rows.contains { (240...300).contains($0) })
  }

  @Test func valuesThatAreNotFiniteLeaveGaps() throws {
    var curves = Self.curves(epochs: 100)
    let whole = try picture(curves).count(of: Self.blue)
    for index in 20..<80 { curves.discriminatorLoss[index] = index % 2 == 0 ? .nan : .infinity }
    let broken = try picture(curves).count(of: Self.blue)
    #expect(broken < whole * 3 / 4)
  }

  @Test func distancesOfSomeEpochsAreJoinedInAThirdPanel() throws {
    var curves = Self.curves(epochs: 100)
    let two = try picture(curves)
    curves.distance = (1...100).map { $0.isMultiple(of: 20) ? 40 - Double($0) / 5 : .nan }
    curves.floor = 0.4
    let three = try picture(curves)
    #expect(two.width == 1280 && three.width == 1920 && three.height == 520)
    #expect(three.hasWhiteFrame(thickness: 4))
    // Left of the middle between the first mark and the last there is a line.
    let rows = (100..<440).filter { three.pixel(column: 1600, row: $0) == Self.blue }
    #expect(!rows.isEmpty)
  }

  @Test func theIdealIsAlwaysInThePicture() throws {
    var curves = Self.curves(epochs: 10)
    curves.ideal.discriminatorLoss = 9
    // The other curves move down to make room.
    let (far, near) = (try picture(curves), try picture(Self.curves(epochs: 10)))
    func highest(_ picture: DecodedPicture) -> Int? {
      (80..<440).first { row in
        (100..<600).contains { picture.pixel(column: $0, row: row) == Self.vermillion }
      }
    }
    #expect(try #require(highest(far)) > #require(highest(near)) + 100)
  }

  @Test func aValueBetweenTwoGapsIsMarked() throws {
    var curves = Self.curves(epochs: 100)
    curves.generatorLoss = [Double](repeating: .nan, count: 100)
    let without = try picture(curves).count(of: Self.vermillion)
    curves.generatorLoss[50] = 1.1
    #expect(try picture(curves).count(of: Self.vermillion) > without + 20)
  }

  @Test func nothingButGapsIsAnEmptyPlot() throws {
    let gaps = [Double](repeating: .nan, count: 5)
    let picture = try picture(
      TrainingCurves(
        discriminatorLoss: gaps, generatorLoss: gaps, realProbability: gaps,
        fakeProbability: gaps))
    #expect(picture.hasWhiteFrame(thickness: 4))
  }

  @Test func curvesMayDifferInLength() throws {
    let picture = try picture(
      TrainingCurves(discriminatorLoss: [1, 2, 3], generatorLoss: [2], fakeProbability: [0.1]))
    #expect(picture.hasWhiteFrame(thickness: 4))
  }

  private static let wildValues: [[Double]] = [
    [-3e12, 4e12], [1e300, -.greatestFiniteMagnitude], [1_234_567, 1_234_568], [1e-300, 0],
    [-1e149, 1e149], [0, 0], [.leastNonzeroMagnitude, .leastNormalMagnitude], [1, 1.000_000_01],
  ]

  @Test(arguments: wildValues)
  func wildValuesStayInsideTheEdge(values: [Double]) throws {
    let picture = try picture(
      TrainingCurves(
        discriminatorLoss: values, generatorLoss: values, realProbability: values,
        fakeProbability: values))
    #expect(picture.hasWhiteFrame(thickness: 4))
  }

  @Test(arguments: [0, -50, 12_345, 1_000_000_000, Int.max, Int.min])
  func anyFirstEpochStaysInsideTheEdge(firstEpoch: Int) throws {
    for epochs in [1, 40] {
      let picture = try picture(Self.curves(epochs: epochs, firstEpoch: firstEpoch))
      #expect(picture.hasWhiteFrame(thickness: 4))
    }
  }

  @Test func runsEndAtGaps() {
    let infinity = Double.infinity
    #expect(
      CurvePanel.drawableRuns(of: [.nan, 1, 2, infinity, 3, -infinity, .nan, 4, 5, 6])
        == [1..<3, 4..<5, 7..<10])
    #expect(CurvePanel.drawableRuns(of: []).isEmpty)
    #expect(CurvePanel.drawableRuns(of: [.nan]).isEmpty)
  }
}

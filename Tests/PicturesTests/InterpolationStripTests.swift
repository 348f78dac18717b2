import Testing

@testable import Pictures

@Suite struct InterpolationStripTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func picture(count: Int, height: Int = 28, width: Int = 28) throws -> DecodedPicture {
    let path = folder.file("strip.png")
    try InterpolationStrip(imageHeight: height, imageWidth: width)
      .write([Float](repeating: -1, count: count * height * width), to: path)
    return try #require(DecodedPicture(path: path))
  }

  @Test func eightCaptionsFromZeroToOne() {
    #expect(
      InterpolationStrip.captions(count: 8, symbol: "α") == [
        "α=0.00", "α=0.14", "α=0.29", "α=0.43", "α=0.57", "α=0.71", "α=0.86", "α=1.00",
      ])
  }

  @Test func aSymbolNoFontHasIsSpelledOut() {
    #expect(
      InterpolationStrip.captions(count: 2, symbol: "alpha") == ["alpha=0.00", "alpha=1.00"])
  }

  @Test func oneImageIsTheBeginning() {
    #expect(InterpolationStrip.captions(count: 1, symbol: "α") == ["α=0.00"])
  }

  @Test func eightImagesInOneRow() throws {
    let picture = try picture(count: 8)
    #expect(picture.width == 8 * 112 + 7 * 10 + 2 * 16)
    // Below the title each image is black from end to end.
    let row = 100
    let black = (0..<picture.width).count { picture.pixel(column: $0, row: row) == 0 }
    #expect(black == 8 * 112)
  }

  @Test(arguments: [(1, 28, 28), (2, 28, 4), (8, 28, 28), (8, 3, 60), (3, 75, 75)])
  func nothingReachesTheEdge(count: Int, height: Int, width: Int) throws {
    #expect(try picture(count: count, height: height, width: width).hasWhiteFrame(thickness: 8))
  }

  @Test func captionsAreCentredUnderTheirImages() throws {
    let picture = try picture(count: 8)
    for index in 0..<8 {
      let left = 16 + index * 122
      let ink = try #require(
        picture.inkedColumns(
          rows: picture.height - 40..<picture.height, columns: left - 5..<left + 117))
      let centre = Double(ink.lowerBound + ink.upperBound) / 2
      #expect(abs(centre - Double(left + 56)) < 3)
    }
  }

  @Test func theTitleIsCentred() throws {
    let picture = try picture(count: 8)
    let ink = try #require(picture.inkedColumns(rows: 0..<50, columns: 0..<picture.width))
    #expect(abs(Double(ink.lowerBound + ink.upperBound - picture.width) / 2) < 3)
  }

  @Test func noImagesAreRefused() {
    #expect(throws: PictureError.self) { try picture(count: 0) }
  }
}

import Testing

@testable import Pictures

@Suite struct SampleGridTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func picture(
    _ images: [Float], height: Int = 28, width: Int = 28, columns: Int = 4
  ) throws -> DecodedPicture {
    let path = folder.file("grid.png")
    try SampleGrid(imageHeight: height, imageWidth: width, columns: columns)
      .write(images, to: path)
    return try #require(DecodedPicture(path: path))
  }

  @Test func sixteenImagesMakeFourByFour() throws {
    let picture = try picture([Float](repeating: 0, count: 16 * 784))
    #expect(picture.width == 4 * 112 + 5 * 4)
    #expect(picture.height == 4 * 112 + 5 * 4)
  }

  @Test func aLastRowMayBeShort() throws {
    let picture = try picture([Float](repeating: -1, count: 5 * 784))
    #expect(picture.height == 2 * 112 + 3 * 4)
    // The second image of the second row does not exist.
    #expect(picture.pixel(column: 116 + 50, row: 116 + 50) == 0xFF_FFFF)
    #expect(picture.pixel(column: 50, row: 116 + 50) == 0)
  }

  @Test func fewerImagesThanColumnsMakeANarrowPicture() throws {
    #expect(try picture([Float](repeating: 0, count: 2 * 784)).width == 2 * 112 + 3 * 4)
  }

  @Test func minusOneIsBlackAndPlusOneIsWhite() throws {
    // 2 x 2 values, so each is a square of 56 pixels.
    let picture = try picture([-1, 1, 0, -1], height: 2, width: 2)
    #expect(picture.width == 112 + 8)
    #expect(picture.pixel(column: 4, row: 4) == 0x00_0000)
    #expect(picture.pixel(column: 59, row: 59) == 0x00_0000)
    #expect(picture.pixel(column: 60, row: 59) == 0xFF_FFFF)
    #expect(picture.pixel(column: 59, row: 60) == 0x80_8080)
    #expect(picture.pixel(column: 60, row: 60) == 0x00_0000)
  }

  @Test func imagesRunAlongRows() throws {
    let black = [Float](repeating: -1, count: 784)
    let white = [Float](repeating: 1, count: 784)
    let picture = try picture(white + black + white + white, columns: 2)
    #expect(picture.pixel(column: 4 + 50, row: 50) == 0xFF_FFFF)
    #expect(picture.pixel(column: 120 + 50, row: 50) == 0)
    #expect(picture.pixel(column: 50, row: 120 + 50) == 0xFF_FFFF)
  }

  @Test func gutterIsWhite() throws {
    #expect(try picture([Float](repeating: -1, count: 784)).hasWhiteFrame(thickness: 4))
  }

  @Test func imagesNeedNotBeSquare() throws {
    let picture = try picture([Float](repeating: -1, count: 2 * 8), height: 2, width: 8)
    #expect(picture.width == 112 + 2 * 4)
    #expect(picture.height == 28 + 2 * 4)
    #expect(picture.pixel(column: 115, row: 31) == 0)
  }

  @Test func valuesBeyondTheRangeAreClamped() throws {
    let picture = try picture([-7, 7, -.infinity, .infinity], height: 2, width: 2)
    #expect(picture.pixel(column: 10, row: 10) == 0)
    #expect(picture.pixel(column: 70, row: 10) == 0xFF_FFFF)
    #expect(picture.pixel(column: 10, row: 70) == 0)
    #expect(picture.pixel(column: 70, row: 70) == 0xFF_FFFF)
  }

  @Test func notANumberIsRed() throws {
    let picture = try picture([.nan, 0, 0, 0], height: 2, width: 2)
    #expect(picture.pixel(column: 10, row: 10) == 0xC0_3030)
  }

  @Test func buffersMakeTheSamePicture() throws {
    let images = (0..<784).map { Float($0) / 392 - 1 }
    let fromArray = try picture(images)
    let path = folder.file("buffer.png")
    try images.withUnsafeBufferPointer { values in
      try SampleGrid(imageHeight: 28, imageWidth: 28).write(values, to: path)
    }
    #expect(DecodedPicture(path: path)?.pixels == fromArray.pixels)
  }

  @Test(arguments: [0, 1, 783, 785])
  func partsOfImagesAreRefused(count: Int) throws {
    #expect(throws: PictureError.self) {
      try picture([Float](repeating: 0, count: count))
    }
    #expect(try folder.names().isEmpty)
  }

  @Test(arguments: [(0, 28, 4), (28, -1, 4), (28, 28, 0), (Int.max, Int.max, 4)])
  func impossibleSizesAreRefused(height: Int, width: Int, columns: Int) throws {
    #expect(throws: PictureError.self) {
      try picture(
        [Float](repeating: 0, count: 784), height: height, width: width, columns: columns)
    }
  }

  @Test func aPictureTooLargeForCairoIsRefused() throws {
    let error = try #require(throws: PictureError.self) {
      try picture([Float](repeating: 0, count: 300), height: 1, width: 1, columns: 300)
    }
    #expect(error.reason.contains("size"))
  }
}

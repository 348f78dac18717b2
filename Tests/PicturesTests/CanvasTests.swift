import Testing

@testable import Pictures

@Suite struct CanvasTests {
  private let font = Canvas.Font(size: 16)

  @Test func lettersCanBeDrawn() throws {
    let canvas = try Canvas(path: "unused.png", width: 1, height: 1)
    #expect(canvas.canDraw("alpha=0.25", in: font))
  }

  @Test func aCharacterNobodyDesignedCannotBeDrawn() throws {
    let canvas = try Canvas(path: "unused.png", width: 1, height: 1)
    #expect(!canvas.canDraw("\u{10FFFD}", in: font))
    #expect(!canvas.canDraw("a\u{10FFFD}", in: font))
    // Asking leaves the canvas usable.
    try canvas.check()
  }

  @Test func longerTextsAreWider() throws {
    let canvas = try Canvas(path: "unused.png", width: 1, height: 1)
    #expect(canvas.width(of: "1000", in: font) > canvas.width(of: "100", in: font))
    #expect(canvas.width(of: "", in: font) == 0)
  }

  @Test(arguments: [(-1, 10), (10, 40_000), (Int.max, Int.max)])
  func impossibleSizesAreErrors(width: Int, height: Int) {
    #expect(throws: PictureError.self) {
      _ = try Canvas(path: "unused.png", width: width, height: height)
    }
  }

  @Test func imagesAreCutAtTheCanvas() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("cut.png")
    let canvas = try Canvas(path: path, width: 4, height: 4)
    [Float](repeating: -1, count: 4).withUnsafeBufferPointer {
      canvas.drawImage($0, imageWidth: 2, factor: 3, left: 2, top: -3)
    }
    try canvas.save()
    let picture = try #require(DecodedPicture(path: path))
    #expect(picture.pixel(column: 1, row: 0) == 0xFF_FFFF)
    #expect(picture.pixel(column: 3, row: 2) == 0)
    #expect(picture.pixel(column: 3, row: 3) == 0xFF_FFFF)
  }
}

import CCairo

/// A PNG read back from disk.
struct DecodedPicture {
  let width: Int
  let height: Int
  /// `[height * width]`, each 0x??RRGGBB.
  let pixels: [UInt32]

  /// Nil if the file is no readable PNG.
  init?(path: String) {
    let surface = cairo_image_surface_create_from_png(path)
    defer { cairo_surface_destroy(surface) }
    guard cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS,
      let data = cairo_image_surface_get_data(surface)
    else { return nil }
    let width = Int(cairo_image_surface_get_width(surface))
    let height = Int(cairo_image_surface_get_height(surface))
    // A row of 32-bit pixels has no padding, so the memory is the array.
    let words = UnsafeRawBufferPointer(start: data, count: height * width * 4)
    self.width = width
    self.height = height
    pixels = [UInt32](words.bindMemory(to: UInt32.self))
  }

  func pixel(column: Int, row: Int) -> UInt32 {
    pixels[row * width + column] & 0xFF_FFFF
  }

  /// Whether all pixels nearer to the edge than `thickness` are white.
  func hasWhiteFrame(thickness: Int = 1) -> Bool {
    (0..<height).allSatisfy { row in
      let isEndRow = row < thickness || row >= height - thickness
      let columns =
        isEndRow
        ? Array(0..<width) : Array(0..<thickness) + Array(width - thickness..<width)
      return columns.allSatisfy { pixel(column: $0, row: row) == 0xFF_FFFF }
    }
  }

  /// How many pixels have a colour.
  func count(of colour: UInt32) -> Int {
    var count = 0
    for pixel in pixels where pixel & 0xFF_FFFF == colour { count += 1 }
    return count
  }

  /// The first and last column in some rows with a pixel that is not white.
  func inkedColumns(rows: Range<Int>, columns: Range<Int>) -> ClosedRange<Int>? {
    let inked = columns.filter { column in
      rows.contains { pixel(column: column, row: $0) != 0xFF_FFFF }
    }
    guard let first = inked.first, let last = inked.last else { return nil }
    return first...last
  }
}

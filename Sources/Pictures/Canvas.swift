import CCairo
import Files

/// The one door to cairo: an image in memory, the pen that draws on it, and its way to a PNG.
///
/// Cairo keeps the first error of a context and ignores what is drawn after it, so drawing does
/// not throw: `save()` reports that error before anything is written.
final class Canvas {
  /// How a text lies around its point.
  enum Alignment {
    case leading, centre, trailing
  }

  /// The look of a text.
  struct Font {
    /// Pixels.
    let size: Double
    var bold = false
  }

  /// The look of a line; widths and dashes in pixels.
  struct Pen {
    let colour: Colour
    var width = 1.0
    var dashes: [Double] = []
  }

  /// Cairo's limit of a picture's sides, in pixels.
  static let sideLimit = 32_767

  /// Pixels.
  let width: Int
  /// Pixels.
  let height: Int
  private let path: String
  private let surface: OpaquePointer
  private let context: OpaquePointer

  /// A canvas filled with one colour, for a picture to be saved at `path`.
  ///
  /// - Throws: `PictureError` if there is no memory for it or it is too large for cairo.
  init(path: String, width: Int, height: Int, background: Colour = .white) throws(PictureError) {
    let size = (Int32(clamping: width), Int32(clamping: height))
    guard let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, size.0, size.1) else {
      throw Self.error(path, CAIRO_STATUS_NO_MEMORY)
    }
    guard cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS else {
      defer { cairo_surface_destroy(surface) }
      throw Self.error(path, cairo_surface_status(surface))
    }
    guard let context = cairo_create(surface) else {
      cairo_surface_destroy(surface)
      throw Self.error(path, CAIRO_STATUS_NO_MEMORY)
    }
    self.path = path
    self.width = width
    self.height = height
    self.surface = surface
    self.context = context
    setFontOptions()
    setSource(background)
    cairo_paint(context)
    try check()
  }

  deinit {
    cairo_destroy(context)
    cairo_surface_destroy(surface)
  }

  // MARK: Lines and marks

  /// Draws one open line through the points.
  func stroke(_ points: [Point], with pen: Pen) {
    setSource(pen.colour)
    cairo_set_line_width(context, pen.width)
    cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
    cairo_set_line_cap(context, CAIRO_LINE_CAP_BUTT)
    cairo_set_dash(context, pen.dashes, Int32(clamping: pen.dashes.count), 0)
    cairo_new_path(context)
    for point in points { cairo_line_to(context, point.x, point.y) }
    cairo_stroke(context)
  }

  /// Draws the outline of a rectangle.
  func stroke(_ rectangle: Rectangle, with pen: Pen) {
    setSource(pen.colour)
    cairo_set_line_width(context, pen.width)
    cairo_set_line_join(context, CAIRO_LINE_JOIN_MITER)
    cairo_set_dash(context, nil, 0, 0)
    cairo_new_path(context)
    cairo_rectangle(context, rectangle.left, rectangle.top, rectangle.width, rectangle.height)
    cairo_stroke(context)
  }

  /// Fills a disc.
  func fillDisc(at centre: Point, radius: Double, colour: Colour) {
    setSource(colour)
    cairo_new_path(context)
    cairo_arc(context, centre.x, centre.y, radius, 0, 2 * Double.pi)
    cairo_fill(context)
  }

  /// Fills a square around a point.
  func fillSquare(at centre: Point, side: Double, colour: Colour) {
    setSource(colour)
    cairo_new_path(context)
    cairo_rectangle(context, centre.x - side / 2, centre.y - side / 2, side, side)
    cairo_fill(context)
  }

  // MARK: Text

  /// The advance width of a text in pixels.
  func width(of text: String, in font: Font) -> Double {
    select(font)
    var extents = cairo_text_extents_t()
    cairo_text_extents(context, text, &extents)
    return extents.x_advance
  }

  /// The height of a digit in pixels, by which a text is centred on a line.
  func digitHeight(in font: Font) -> Double {
    select(font)
    var extents = cairo_text_extents_t()
    cairo_text_extents(context, "0", &extents)
    return extents.height
  }

  /// Whether the font has a glyph for each character of a text.
  func canDraw(_ text: String, in font: Font) -> Bool {
    select(font)
    guard let scaledFont = cairo_get_scaled_font(context) else { return false }
    var glyphs: UnsafeMutablePointer<cairo_glyph_t>?
    var count: Int32 = 0
    let status = cairo_scaled_font_text_to_glyphs(
      scaledFont, 0, 0, text, -1, &glyphs, &count, nil, nil, nil)
    defer { cairo_glyph_free(glyphs) }
    guard status == CAIRO_STATUS_SUCCESS else { return false }
    // Index 0 is the box drawn for what a font does not know.
    return UnsafeBufferPointer(start: glyphs, count: Int(count)).allSatisfy { $0.index != 0 }
  }

  /// Draws a text whose baseline goes through a point.
  func draw(
    _ text: String, at point: Point, in font: Font, alignment: Alignment = .leading,
    colour: Colour = .text
  ) {
    let advance = width(of: text, in: font)
    let shift =
      switch alignment {
      case .leading: 0.0
      case .centre: advance / 2
      case .trailing: advance
      }
    setSource(colour)
    // Whole pixels keep the glyphs crisp.
    cairo_move_to(context, (point.x - shift).rounded(), point.y.rounded())
    cairo_show_text(context, text)
  }

  /// Draws a text read from the bottom up, centred on a point of its baseline.
  func drawUpwards(_ text: String, at point: Point, in font: Font) {
    cairo_save(context)
    cairo_translate(context, point.x.rounded(), point.y.rounded())
    cairo_rotate(context, -Double.pi / 2)
    draw(text, at: Point(x: 0, y: 0), in: font, alignment: .centre)
    cairo_restore(context)
  }

  // MARK: Pixels

  /// Draws a grey image with each value as a square of `factor` pixels.
  ///
  /// - Parameter values: `[height * width]`, rows from the top, in [-1, 1].
  func drawImage(
    _ values: UnsafeBufferPointer<Float>, imageWidth: Int, factor: Int, left: Int, top: Int
  ) {
    cairo_surface_flush(surface)
    guard let data = cairo_image_surface_get_data(surface) else { return }
    let stride = Int(cairo_image_surface_get_stride(surface))
    let pixels = UnsafeMutableRawPointer(data)
    for (index, value) in values.enumerated() {
      let colour = Colour(pixelValue: value)
      let word =
        UInt32(colour.red) << 16 | UInt32(colour.green) << 8 | UInt32(colour.blue)
      let firstColumn = left + index % imageWidth * factor
      let firstRow = top + index / imageWidth * factor
      // Cut at the canvas: this is memory, not a drawing cairo would clip.
      for row in (firstRow..<firstRow + factor).clamped(to: 0..<height) {
        for column in (firstColumn..<firstColumn + factor).clamped(to: 0..<width) {
          pixels.storeBytes(of: word, toByteOffset: row * stride + column * 4, as: UInt32.self)
        }
      }
    }
    cairo_surface_mark_dirty(surface)
  }

  // MARK: Saving

  /// Writes the picture as a PNG, whole or not at all.
  ///
  /// - Throws: `PictureError` if the drawing, the encoding or the writing failed.
  func save() throws(PictureError) {
    try check()
    cairo_surface_flush(surface)
    do {
      try DurableFile.write(to: path) { try encode(into: $0) }
    } catch {
      throw error as? PictureError ?? PictureError(path: path, reason: "\(error)")
    }
  }

  /// Where the pieces of a PNG go, and why the first one that did not get there did not.
  private struct Sink {
    let writer: DurableFile.Writer
    var failure: FileError?
  }

  /// Piece by piece: a large picture takes no more memory than its canvas.
  private func encode(into writer: DurableFile.Writer) throws {
    var sink = Sink(writer: writer)
    let status = withUnsafeMutablePointer(to: &sink) { sink in
      cairo_surface_write_to_png_stream(
        surface,
        { sink, chunk, length in
          guard let sink = sink?.assumingMemoryBound(to: Sink.self), let chunk else {
            return CAIRO_STATUS_WRITE_ERROR
          }
          do throws(FileError) {
            try sink.pointee.writer.write(
              UnsafeRawBufferPointer(start: chunk, count: Int(length)))
            return CAIRO_STATUS_SUCCESS
          } catch {
            sink.pointee.failure = error
            return CAIRO_STATUS_WRITE_ERROR
          }
        }, sink)
    }
    // The system's own words say more than cairo's.
    if let failure = sink.failure { throw failure }
    guard status == CAIRO_STATUS_SUCCESS else { throw Self.error(path, status) }
  }

  /// Throws the first error cairo met on this canvas, if there was one.
  ///
  /// - Throws: `PictureError` with cairo's text.
  func check() throws(PictureError) {
    for status in [cairo_status(context), cairo_surface_status(surface)]
    where status != CAIRO_STATUS_SUCCESS {
      throw Self.error(path, status)
    }
  }

  // MARK: Helpers

  private func setSource(_ colour: Colour) {
    cairo_set_source_rgb(
      context, Double(colour.red) / 255, Double(colour.green) / 255, Double(colour.blue) / 255)
  }

  private func select(_ font: Font) {
    cairo_select_font_face(
      context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
      font.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)
    cairo_set_font_size(context, font.size)
  }

  /// Grey smoothing wherever it runs: a desktop's sub-pixel setting would put colours in the PNG.
  private func setFontOptions() {
    let options = cairo_font_options_create()
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY)
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_SLIGHT)
    cairo_set_font_options(context, options)
    cairo_font_options_destroy(options)
  }

  private static func error(_ path: String, _ status: cairo_status_t) -> PictureError {
    let text = cairo_status_to_string(status).map { String(cString: $0) }
    return PictureError(
      kind: status == CAIRO_STATUS_NO_MEMORY ? .noMemory : .notWritten, path: path,
      reason: text ?? "cairo status \(status.rawValue)")
  }
}

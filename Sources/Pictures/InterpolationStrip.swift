import Texts

/// One row of grey images from one latent point to another, each with its share of the way.
public struct InterpolationStrip: Sendable {
  static let title = "Latent Space Interpolation"
  static let titleFont = Canvas.Font(size: 20, bold: true)
  static let captionFont = Canvas.Font(size: 16)
  /// Around everything, in pixels.
  static let margin = 16
  /// The least gap between two images or two captions, in pixels.
  static let gap = 10

  /// The height of an image before it is enlarged, in pixels.
  public let imageHeight: Int
  /// The width of an image before it is enlarged, in pixels.
  public let imageWidth: Int

  /// A strip for images of one size.
  public init(imageHeight: Int, imageWidth: Int) {
    self.imageHeight = imageHeight
    self.imageWidth = imageWidth
  }

  /// Draws the images and writes them as a PNG that appears whole or not at all.
  ///
  /// The captions go from "α=0.00" to "α=1.00" in equal steps.
  ///
  /// - Parameters:
  ///   - images: `[count, imageHeight * imageWidth]`, -1 black to +1 white. Values beyond that
  ///     are clamped, NaN is a mid red.
  ///   - path: The file to write; an older one is replaced.
  /// - Throws: `PictureError` if the values are not whole images or the file cannot be written.
  public func write(_ images: [Float], to path: String) throws(PictureError) {
    try images.withUnsafeBufferPointer { (values) throws(PictureError) in
      try write(values, to: path)
    }
  }

  /// Draws the images and writes them as a PNG that appears whole or not at all.
  ///
  /// The captions go from "α=0.00" to "α=1.00" in equal steps.
  ///
  /// - Parameters:
  ///   - images: `[count, imageHeight * imageWidth]`, -1 black to +1 white. Values beyond that
  ///     are clamped, NaN is a mid red.
  ///   - path: The file to write; an older one is replaced.
  /// - Throws: `PictureError` if the values are not whole images or the file cannot be written.
  public func write(
    _ images: UnsafeBufferPointer<Float>, to path: String
  ) throws(PictureError) {
    let tiles = ImageTiles(imageHeight: imageHeight, imageWidth: imageWidth)
    let count = try tiles.count(valueCount: images.count, path: path)

    // The size of the picture follows from its texts, so they are measured on a small one first.
    let ruler = try Canvas(path: path, width: 1, height: 1)
    let symbol = ruler.canDraw("α", in: Self.captionFont) ? "α" : "alpha"
    let captions = Self.captions(count: count, symbol: symbol)
    let captionWidths = captions.map { ruler.width(of: $0, in: Self.captionFont) }
    let titleWidth = Int(ruler.width(of: Self.title, in: Self.titleFont).rounded(.up))
    try ruler.check()

    let column = max(tiles.tileWidth, Int((captionWidths.max() ?? 0).rounded(.up)))
    let rowWidth = count * column + (count - 1) * Self.gap
    let width = max(rowWidth, titleWidth) + 2 * Self.margin
    let titleBaseline = Self.margin + Int(Self.titleFont.size)
    let imageTop = titleBaseline + Self.margin
    let captionBaseline = imageTop + tiles.tileHeight + Self.gap + Int(Self.captionFont.size)
    let canvas = try Canvas(path: path, width: width, height: captionBaseline + Self.margin)

    canvas.draw(
      Self.title, at: Point(x: Double(width) / 2, y: Double(titleBaseline)), in: Self.titleFont,
      alignment: .centre)
    for (index, caption) in captions.enumerated() {
      let columnLeft = (width - rowWidth) / 2 + index * (column + Self.gap)
      let imageLeft = columnLeft + (column - tiles.tileWidth) / 2
      tiles.draw(index, of: images, on: canvas, left: imageLeft, top: imageTop)
      let middle = Double(imageLeft) + Double(tiles.tileWidth) / 2
      canvas.draw(
        caption, at: Point(x: middle, y: Double(captionBaseline)), in: Self.captionFont,
        alignment: .centre)
    }
    try canvas.save()
  }

  /// What is written under each image.
  static func captions(count: Int, symbol: String) -> [String] {
    (0..<count).map { index in
      let share = count > 1 ? Double(index) / Double(count - 1) : 0
      return "\(symbol)=\(share.fixed(2))"
    }
  }
}

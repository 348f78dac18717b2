/// A grid of grey images with white gutters, filled row by row.
///
/// Each value becomes a crisp square, so that the longer side of an image is about 112 pixels.
public struct SampleGrid: Sendable {
  /// The gap between images and around them, in pixels.
  static let gutter = 4

  /// The height of an image before it is enlarged, in pixels.
  public let imageHeight: Int
  /// The width of an image before it is enlarged, in pixels.
  public let imageWidth: Int
  /// The number of images side by side; fewer images make a narrower picture.
  public let columns: Int

  /// A grid for images of one size.
  public init(imageHeight: Int, imageWidth: Int, columns: Int = 4) {
    self.imageHeight = imageHeight
    self.imageWidth = imageWidth
    self.columns = columns
  }

  /// A grid that is as high as wide, or nearly, for so many images.
  public init(imageHeight: Int, imageWidth: Int, squareFor count: Int) {
    self.init(
      imageHeight: imageHeight, imageWidth: imageWidth,
      columns: Int(Double(max(count, 1)).squareRoot().rounded(.up)))
  }

  /// The largest side of an image that can be drawn, before it is enlarged, in pixels.
  public static var sideLimit: Int { ImageTiles.sideLimit }

  /// The most images of a size that such a grid can have; 0 if none can be drawn.
  public static func largestSquare(imageHeight: Int, imageWidth: Int) -> Int {
    let tiles = ImageTiles(imageHeight: imageHeight, imageWidth: imageWidth)
    guard tiles.areDrawable else { return 0 }
    let columns = (Canvas.sideLimit - gutter) / (tiles.tileWidth + gutter)
    let rows = (Canvas.sideLimit - gutter) / (tiles.tileHeight + gutter)
    // A grid has as many rows as columns, or one less.
    return columns > rows ? rows * (rows + 1) : columns * columns
  }

  /// Draws the images and writes them as a PNG that appears whole or not at all.
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
    guard columns > 0 else {
      throw PictureError(path: path, reason: "a grid of \(columns) columns is not drawable")
    }
    let usedColumns = min(columns, count)
    let rows = (count - 1) / usedColumns + 1
    let pitch = (x: tiles.tileWidth + Self.gutter, y: tiles.tileHeight + Self.gutter)
    let canvas = try Canvas(
      path: path, width: usedColumns * pitch.x + Self.gutter, height: rows * pitch.y + Self.gutter)
    for index in 0..<count {
      tiles.draw(
        index, of: images, on: canvas,
        left: Self.gutter + index % usedColumns * pitch.x,
        top: Self.gutter + index / usedColumns * pitch.y)
    }
    try canvas.save()
  }
}

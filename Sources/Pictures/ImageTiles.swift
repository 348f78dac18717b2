/// How images of one size are enlarged, and the check that values are whole images of it.
struct ImageTiles {
  /// The longer side an image is enlarged to, as nearly as whole factors allow, in pixels.
  static let wantedSide = 112

  /// The largest side of an image before enlarging, in pixels: eight of them, side by side, are still a picture.
  static let sideLimit = 4000

  let imageHeight: Int
  let imageWidth: Int

  /// The side of the square one value becomes, in pixels.
  var factor: Int {
    let side = max(imageHeight, imageWidth, 1)
    return max(1, (2 * Self.wantedSide + side) / (2 * side))
  }

  var tileHeight: Int { imageHeight * factor }
  var tileWidth: Int { imageWidth * factor }

  /// Whether both sides are within their limit.
  var areDrawable: Bool {
    let sides = 1...Self.sideLimit
    return sides.contains(imageHeight) && sides.contains(imageWidth)
  }

  /// The number of images in a run of values.
  ///
  /// - Throws: `PictureError` if the size is impossible or the values are not one or more images.
  func count(valueCount: Int, path: String) throws(PictureError) -> Int {
    guard areDrawable else {
      throw PictureError(
        path: path,
        reason: """
          an image of \(imageHeight) x \(imageWidth) pixels is not drawable: a side has from 1 to \
          \(Self.sideLimit) pixels
          """)
    }
    let size = imageHeight * imageWidth
    guard valueCount > 0, valueCount.isMultiple(of: size) else {
      throw PictureError(
        path: path,
        reason: "\(valueCount) values are not one or more images of "
          + "\(imageHeight) x \(imageWidth) pixels")
    }
    return valueCount / size
  }

  /// Draws one image of many with its top left corner at a pixel.
  ///
  /// - Parameter values: `[count, imageHeight * imageWidth]`.
  func draw(
    _ index: Int, of values: UnsafeBufferPointer<Float>, on canvas: Canvas, left: Int, top: Int
  ) {
    let size = imageHeight * imageWidth
    canvas.drawImage(
      UnsafeBufferPointer(rebasing: values[index * size..<(index + 1) * size]),
      imageWidth: imageWidth, factor: factor, left: left, top: top)
  }
}

import Foundation

/// A data set that an epoch is short with: 2,000 images of 28 x 28 pixels, made up.
public enum SmallDataSet {
  public static let imageCount = 2000

  /// Writes the training pair as plain IDX files: the first so many images, or more of their kind.
  public static func write(to folder: URL, imageCount: Int = imageCount) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    func bigEndian(_ numbers: UInt32...) -> Data {
      numbers.reduce(into: Data()) { data, number in
        withUnsafeBytes(of: number.bigEndian) { data.append(contentsOf: $0) }
      }
    }
    var pixels = [UInt8](repeating: 0, count: imageCount * 784)
    for index in pixels.indices {
      let (image, place) = index.quotientAndRemainder(dividingBy: 784)
      // A bright square in a place of its own.
      let (row, column) = place.quotientAndRemainder(dividingBy: 28)
      if (image % 17..<image % 17 + 9).contains(row), (image % 13..<image % 13 + 9).contains(column)
      {
        pixels[index] = UInt8(128 + (image + row * column) % 128)
      }
    }
    let images = bigEndian(0x803, UInt32(imageCount), 28, 28) + Data(pixels)
    try images.write(to: folder.appendingPathComponent("train-images-idx3-ubyte"))
    let labels =
      bigEndian(0x801, UInt32(imageCount)) + Data((0..<imageCount).map { UInt8($0 % 10) })
    try labels.write(to: folder.appendingPathComponent("train-labels-idx1-ubyte"))
  }
}

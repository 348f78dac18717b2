/// A tiny set of images that are not square, as the bytes of its two IDX files.
struct MadeUpSet {
  var count = 4
  var height = 3
  var width = 5
  var firstPixel: UInt8 = 7

  var pixels: [UInt8] {
    (0..<count * height * width).map { firstPixel &+ UInt8(truncatingIfNeeded: $0 * 37) }
  }

  /// Labels 0, 1, 2, 0, 1, 2 ...
  var labels: [UInt8] { (0..<count).map { UInt8($0 % 3) } }

  var imagesFile: [UInt8] { bigEndian([0x0803, count, height, width]) + pixels }
  var labelsFile: [UInt8] { bigEndian([0x0801, count]) + labels }

  /// Puts the pair into `folder` under the names of a training or test set.
  func write(
    to folder: TemporaryFolder, under subfolder: String = "", prefix: String = "train",
    gzipped: Bool = false
  ) throws {
    let start = subfolder.isEmpty ? prefix : subfolder + "/" + prefix
    for (name, bytes) in [("images-idx3", imagesFile), ("labels-idx1", labelsFile)] {
      if gzipped {
        try folder.writeGzipped(bytes, to: "\(start)-\(name)-ubyte.gz")
      } else {
        try folder.write(bytes, to: "\(start)-\(name)-ubyte")
      }
    }
  }
}

/// Each field as four bytes, the most significant first.
func bigEndian(_ fields: [Int]) -> [UInt8] {
  fields.flatMap { field in
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: field >> $0) }
  }
}

import VectorKernels

/// Features of images, `[count, size]`: what images are compared by.
public struct FeatureSet: Sendable {
  /// Images.
  public let count: Int
  /// Numbers of an image.
  public let size: Int
  /// In row-major order.
  public let values: [Float]
  /// The same in float64, 16 images side by side: `[blocks, size, 16]`; the last block is filled up with zeros.
  let blocks: [Double]

  static let blockSize = Int(DISTANCE_BLOCK)

  /// - Parameter values: `[count, size]`, in row-major order.
  public init(_ values: [Float], size: Int) {
    precondition(size > 0 && values.count.isMultiple(of: size), "rows of another length")
    let count = values.count / size
    (self.count, self.size, self.values) = (count, size, values)
    let blockCount = (count + Self.blockSize - 1) / Self.blockSize
    blocks = [Double](unsafeUninitializedCapacity: blockCount * size * Self.blockSize) {
      blocks, initialized in
      blocks.initialize(repeating: 0)
      values.withUnsafeBufferPointer { values in
        for image in 0..<count {
          let (block, lane) = image.quotientAndRemainder(dividingBy: Self.blockSize)
          for index in 0..<size {
            blocks[(block * size + index) * Self.blockSize + lane] = Double(
              values[image * size + index])
          }
        }
      }
      initialized = blocks.count
    }
  }

  /// The first images of the set; all of them if there are fewer.
  public func prefix(_ count: Int) -> FeatureSet {
    FeatureSet(Array(values.prefix(max(count, 0) * size)), size: size)
  }
}

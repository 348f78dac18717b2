/// Sizes of a tensor that come from anywhere.
enum TensorShape {
  /// More dimensions than any library knows; without a limit a header could make them from commas.
  static let maximumDimensionCount = 64

  /// Bytes of a tensor of this shape; nil if a size is negative or they cannot be counted.
  static func byteCount(_ shape: [Int], elementByteCount: Int) -> Int? {
    shape.reduce(elementByteCount) { (product: Int?, size) in
      guard let product, size >= 0 else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      return overflow ? nil : next
    }
  }

  /// The sizes as `[2, 3]`.
  static func text(_ shape: [Int]) -> String {
    "[" + shape.map { String($0) }.joined(separator: ", ") + "]"
  }
}

/// Sizes of a tensor that come from anywhere.
enum TensorShape {
  /// More dimensions than any library knows; without a limit a header could make them from commas.
  static let maximumDimensionCount = 64

  /// Elements of a tensor of this shape; nil if a size is negative or they cannot be counted.
  static func elementCount(_ shape: [Int]) -> Int? {
    shape.reduce(1) { (product: Int?, size) in
      guard let product, size >= 0 else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      return overflow ? nil : next
    }
  }

  /// Bytes of a tensor of this shape; nil if a size is negative or they cannot be counted.
  ///
  /// A last byte that elements fill in part counts: see ``fillsBytes(_:elementBitCount:)``.
  static func byteCount(_ shape: [Int], elementBitCount: Int) -> Int? {
    guard let count = elementCount(shape) else { return nil }
    // Bits of so many elements may be too many where bytes are not.
    let (groups, rest) = count.quotientAndRemainder(dividingBy: 8)
    let (bytes, overflow) = groups.multipliedReportingOverflow(by: elementBitCount)
    let (sum, carry) = bytes.addingReportingOverflow((rest * elementBitCount + 7) / 8)
    return overflow || carry ? nil : sum
  }

  /// Whether the elements of such a tensor fill whole bytes.
  static func fillsBytes(_ shape: [Int], elementBitCount: Int) -> Bool {
    guard let count = elementCount(shape) else { return false }
    return (count % 8 * elementBitCount).isMultiple(of: 8)
  }

  /// The sizes as `[2, 3]`.
  static func text(_ shape: [Int]) -> String {
    "[" + shape.map { String($0) }.joined(separator: ", ") + "]"
  }
}

/// The head of an IDX file of unsigned bytes: what it holds and how much of it.
struct IDXHeader: Equatable {
  let content: IDXFile.Content
  /// `[count, rows, columns]` of images, `[count]` of labels; the count from 1 to 2^31 - 1, the others to 2^32 - 1.
  let dimensions: [Int]
  /// Bytes of content behind the header: the product of the dimensions.
  let contentByteCount: Int

  /// Images are numbered in 31 bits where they are shuffled.
  static let countLimit = Int(Int32.max)

  /// Bytes of the header itself: the magic number and one size per dimension.
  static func byteCount(of content: IDXFile.Content) -> Int { 4 + 4 * content.dimensionCount }

  /// Bytes of the header itself.
  var byteCount: Int { Self.byteCount(of: content) }

  /// Checks sizes that come from anywhere.
  /// - Throws: `DataSetError` if a size is out of range or their product overflows.
  init(content: IDXFile.Content, dimensions: [Int], path: String) throws(DataSetError) {
    var product = 1
    for (index, size) in dimensions.enumerated() {
      let offset = 4 + 4 * index
      guard size >= 1, size <= Int(UInt32.max) else {
        throw .broken(
          path, atByte: offset,
          expected: "a number of \(content.dimensionNames[index]) of at least 1 in 32 bits",
          found: "\(size)")
      }
      guard index > 0 || size <= Self.countLimit else {
        throw .broken(
          path, atByte: offset,
          expected: "at most \(Self.countLimit) \(content), as many as can be shuffled",
          found: "\(size)")
      }
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      guard !overflow else {
        throw .broken(
          path, atByte: offset, expected: "sizes whose product can be counted",
          found: Self.text(of: dimensions))
      }
      product = next
    }
    self.content = content
    self.dimensions = dimensions
    contentByteCount = product
  }

  /// Decodes the first bytes of a file, which may be too few.
  /// - Throws: `DataSetError` at the first field that is not what was expected.
  init(decoding bytes: [UInt8], expecting content: IDXFile.Content, path: String)
    throws(DataSetError)
  {
    let needed = Self.byteCount(of: content)
    let fields = stride(from: 0, to: bytes.count - bytes.count % 4, by: 4).map { offset in
      bytes[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }
    if let magic = fields.first, magic != content.rawValue {
      throw .broken(
        path, atByte: 0, expected: Self.text(ofMagic: content.rawValue),
        found: Self.text(ofMagic: magic))
    }
    guard bytes.count >= needed else {
      throw .broken(
        path, atByte: bytes.count, expected: "\(needed) bytes of header of a file of \(content)",
        found: "the end of the file")
    }
    try self.init(content: content, dimensions: fields.dropFirst().map { Int($0) }, path: path)
  }

  /// The header as it stands in a file.
  var encoded: [UInt8] {
    ([content.rawValue] + dimensions.map { UInt32($0) }).flatMap { field in
      stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: field >> UInt32($0)) }
    }
  }

  /// The sizes in words, as `2 images of 3 x 5 pixels`.
  var text: String {
    let (count, sides) = (dimensions.first ?? 0, dimensions.dropFirst())
    return "\(count) \(content)" + (sides.isEmpty ? "" : " of \(Self.text(of: sides)) pixels")
  }

  private static func text(of sizes: some Sequence<Int>) -> String {
    sizes.map { String($0) }.joined(separator: " x ")
  }

  private static func text(ofMagic magic: UInt32) -> String {
    let digits = String(magic, radix: 16)
    let number = "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    let meaning = IDXFile.Content(rawValue: magic).map { " of \($0)" } ?? ""
    return "magic number \(number)\(meaning)"
  }
}

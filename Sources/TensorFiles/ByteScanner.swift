/// Walks through the text in a file's header; every error says where it stood.
struct ByteScanner {
  let path: String
  /// The whole file, so that offsets are those of the file.
  let bytes: UnsafeRawBufferPointer
  /// Where the text ends.
  let end: Int
  /// What ends there, as in "the end of the header".
  let endName: String
  /// The next byte to look at.
  private(set) var offset: Int

  init(path: String, bytes: UnsafeRawBufferPointer, range: Range<Int>, endName: String) {
    self.path = path
    self.bytes = bytes
    self.endName = endName
    offset = range.lowerBound
    end = range.upperBound
  }

  /// The next byte; nil at the end.
  var next: UInt8? { offset < end ? bytes[offset] : nil }

  /// The next byte, which is passed.
  mutating func take() -> UInt8? {
    guard let byte = next else { return nil }
    offset += 1
    return byte
  }

  /// Passes the next byte if it is this one.
  mutating func accept(_ character: Unicode.Scalar) -> Bool {
    guard let next, UInt32(next) == character.value else { return false }
    offset += 1
    return true
  }

  /// Passes this byte.
  mutating func expect(
    _ character: Unicode.Scalar, _ purpose: String = ""
  ) throws(TensorFileError) {
    guard accept(character) else { throw error(expected: "'\(character)'\(purpose)") }
  }

  /// Passes any of these bytes.
  mutating func skip(_ blanks: StaticString) {
    blanks.withUTF8Buffer { blanks in
      while let next, blanks.contains(next) { offset += 1 }
    }
  }

  /// Reads a decimal number of at least 0, without sign or leading zeros.
  mutating func wholeNumber(_ meaning: String) throws(TensorFileError) -> Int {
    let start = offset
    var number = 0
    while let digit = next.map({ Int($0) - 0x30 }), (0...9).contains(digit) {
      let (product, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(digit)
      guard !overflow, !carry else {
        throw error(expected: "\(meaning) below 2^63", found: "a larger one", at: start)
      }
      number = sum
      offset += 1
      if offset - start > 1, bytes[start] == 0x30 {
        throw error(expected: meaning, found: "a number with a leading zero", at: start)
      }
    }
    guard offset > start else { throw error(expected: meaning) }
    return number
  }

  /// The error of what stands here, or at `place`, not being what was expected.
  func error(
    expected: String, found: String? = nil, at place: Int? = nil
  ) -> TensorFileError {
    .broken(
      path, atByte: place ?? offset, expected: expected, found: found ?? Self.text(next, endName))
  }

  private static func text(_ byte: UInt8?, _ endName: String) -> String {
    guard let byte else { return endName }
    if (0x21..<0x7f).contains(byte) { return "'\(Unicode.Scalar(byte))'" }
    return "the byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
}

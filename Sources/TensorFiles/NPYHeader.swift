/// The head of an .npy file: what its numbers are and how many.
struct NPYHeader {
  /// Kinds of numbers that are read; the raw value is NumPy's name.
  enum Number: String, CaseIterable {
    case float32 = "<f4"
    case float64 = "<f8"

    var byteCount: Int { self == .float32 ? 4 : 8 }
  }

  /// NumPy's own limit for headers it trusts, in bytes.
  private static let maximumByteCount = 10_000
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  let number: Number
  /// One or two sizes.
  let shape: [Int]
  /// Where the numbers are in the file.
  let content: Range<Int>

  /// Decodes the head of a file of format 1.0 or 2.0 and checks it against the file's size.
  /// - Throws: `TensorFileError` at the first thing that is not what was expected.
  init(decoding bytes: UnsafeRawBufferPointer, path: String) throws(TensorFileError) {
    let text = try Self.text(of: bytes, path: path)
    var scanner = ByteScanner(
      path: path, bytes: bytes, range: text, endName: "the header's end")
    let fields = try Fields(&scanner)
    scanner.skip(" \n")
    guard scanner.next == nil else {
      throw scanner.error(expected: "nothing but spaces behind the header's dictionary")
    }
    let needed = TensorShape.byteCount(fields.shape, elementBitCount: 8 * fields.number.byteCount)
    guard let needed else {
      throw scanner.error(
        expected: "sizes whose product can be counted", found: TensorShape.text(fields.shape),
        at: fields.shapePlace)
    }
    let rest = bytes.count - text.upperBound
    guard rest == needed else {
      throw .broken(
        path, atByte: min(bytes.count, text.upperBound + min(needed, rest)),
        expected: "\(needed) bytes for the shape \(TensorShape.text(fields.shape))",
        found: rest < needed ? "the end of the file after \(rest)" : "\(rest - needed) more")
    }
    number = fields.number
    shape = fields.shape
    content = text.upperBound..<bytes.count
  }

  /// The head of a file of `[rows, columns]` floats, of a multiple of 64 bytes as NumPy's are.
  static func encoded(rows: Int, columns: Int) -> [UInt8] {
    let text =
      "{'descr': '\(Number.float32.rawValue)', 'fortran_order': False, "
      + "'shape': (\(rows), \(columns)), }"
    let lengthEnd = magic.count + 4
    let used = lengthEnd + text.utf8.count + 1
    let padding = [UInt8](repeating: UInt8(ascii: " "), count: (64 - used % 64) % 64)
    let length = UInt16(used + padding.count - lengthEnd)
    let version: [UInt8] = [1, 0]
    return magic + version + [UInt8(length & 0xff), UInt8(length >> 8)] + Array(text.utf8)
      + padding + Array("\n".utf8)
  }

  /// Where the header's dictionary is.
  private static func text(
    of bytes: UnsafeRawBufferPointer, path: String
  ) throws(TensorFileError) -> Range<Int> {
    for (offset, byte) in magic.enumerated() {
      guard offset < bytes.count, bytes[offset] == byte else {
        throw .broken(
          path, atByte: offset, expected: "the first bytes of an .npy file",
          found: offset < bytes.count ? "others" : "the end of the file")
      }
    }
    func byte(_ offset: Int) throws(TensorFileError) -> Int {
      guard offset < bytes.count else {
        throw .broken(
          path, atByte: bytes.count, expected: "the rest of the header",
          found: "the end of the file")
      }
      return Int(bytes[offset])
    }
    let version = (try byte(6), try byte(7))
    guard version == (1, 0) || version == (2, 0) else {
      throw .broken(
        path, atByte: 6, expected: "version 1.0 or 2.0", found: "\(version.0).\(version.1)")
    }
    let start = version.0 == 1 ? 10 : 12
    var length = 0
    for offset in (8..<start).reversed() { length = length << 8 | (try byte(offset)) }
    guard length <= maximumByteCount else {
      throw .broken(
        path, atByte: 8, expected: "a header of at most \(maximumByteCount) bytes",
        found: "a length of \(length)")
    }
    guard length <= bytes.count - start else {
      throw .broken(
        path, atByte: bytes.count, expected: "\(length) bytes of header",
        found: "the end of the file after \(bytes.count - start) of them")
    }
    return start..<start + length
  }
}

extension NPYHeader {
  /// What the header's dictionary says, which is written in Python.
  private struct Fields {
    let number: Number
    let shape: [Int]
    /// Where the shape stands, for errors.
    let shapePlace: Int

    init(_ scanner: inout ByteScanner) throws(TensorFileError) {
      var number: Number?
      var isRowMajor: Bool?
      var shape: (sizes: [Int], place: Int)?
      let start = scanner.offset
      try scanner.expect("{")
      scanner.skip(" ")
      while !scanner.accept("}") {
        let place = scanner.offset
        let key = try Self.string(&scanner)
        scanner.skip(" ")
        try scanner.expect(":")
        scanner.skip(" ")
        switch (key, number, isRowMajor, shape) {
        case ("descr", nil, _, _): number = try Self.number(&scanner)
        case ("fortran_order", _, nil, _): isRowMajor = try Self.isRowMajor(&scanner)
        case ("shape", _, _, nil): shape = (try Self.shape(&scanner), place)
        default:
          throw scanner.error(
            expected: "descr, fortran_order and shape once each",
            found: TensorFileError.quoted(key), at: place)
        }
        scanner.skip(" ")
        guard scanner.accept(",") else {
          try scanner.expect("}", " or ','")
          break
        }
        scanner.skip(" ")
      }
      guard let number, isRowMajor != nil, let shape else {
        throw scanner.error(
          expected: "descr, fortran_order and shape", found: "not all of them", at: start)
      }
      self.number = number
      (self.shape, shapePlace) = shape
    }

    /// A string in either kind of quotes; none of the strings known has an escape.
    private static func string(_ scanner: inout ByteScanner) throws(TensorFileError) -> String {
      let quote: Unicode.Scalar = scanner.next == UInt8(ascii: "\"") ? "\"" : "'"
      try scanner.expect(quote)
      var text = ""
      while !scanner.accept(quote) {
        guard let byte = scanner.next, (0x20..<0x7f).contains(byte), byte != UInt8(ascii: "\\")
        else { throw scanner.error(expected: "a string of plain characters") }
        text.unicodeScalars.append(Unicode.Scalar(byte))
        _ = scanner.take()
      }
      return text
    }

    private static func number(_ scanner: inout ByteScanner) throws(TensorFileError) -> Number {
      let place = scanner.offset
      let name = try string(&scanner)
      guard let number = Number(rawValue: name) else {
        throw scanner.error(
          expected: "numbers of type \(Number.allCases.map(\.rawValue).joined(separator: " or "))",
          found: TensorFileError.quoted(name), at: place)
      }
      return number
    }

    /// Columns first would need the numbers in another order.
    private static func isRowMajor(_ scanner: inout ByteScanner) throws(TensorFileError) -> Bool {
      for letter in "False".unicodeScalars {
        try scanner.expect(letter, " of False: an array in C order")
      }
      return true
    }

    /// A tuple of one or two sizes.
    private static func shape(_ scanner: inout ByteScanner) throws(TensorFileError) -> [Int] {
      let place = scanner.offset
      try scanner.expect("(")
      scanner.skip(" ")
      var sizes: [Int] = []
      var endsWithComma = false
      while !scanner.accept(")") {
        guard sizes.isEmpty || endsWithComma else {
          throw scanner.error(expected: "')' or ','")
        }
        guard sizes.count < 2 else {
          throw scanner.error(expected: "an array of 1 or 2 dimensions", found: "more", at: place)
        }
        sizes.append(try scanner.wholeNumber("a size"))
        scanner.skip(" ")
        endsWithComma = scanner.accept(",")
        scanner.skip(" ")
      }
      // In Python (3) is the number 3, not a tuple.
      guard sizes.count == 2 || (sizes.count == 1 && endsWithComma) else {
        throw scanner.error(
          expected: "an array of 1 or 2 dimensions", found: "none", at: place)
      }
      return sizes
    }
  }
}

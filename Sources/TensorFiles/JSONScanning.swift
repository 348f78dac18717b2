/// The parts of JSON that a safetensors header is made of.
extension ByteScanner {
  mutating func skipJSONBlanks() { skip(" \n\r\t") }

  /// Reads `{`, members and `}`; `member` reads the value of each key.
  mutating func jsonObject(
    _ member: (inout ByteScanner, _ key: String, _ place: Int) throws(TensorFileError) -> Void
  ) throws(TensorFileError) {
    try expect("{")
    skipJSONBlanks()
    if accept("}") { return }
    repeat {
      skipJSONBlanks()
      let place = offset
      let key = try jsonString()
      skipJSONBlanks()
      try expect(":")
      skipJSONBlanks()
      try member(&self, key, place)
      skipJSONBlanks()
    } while accept(",")
    try expect("}", " or ','")
  }

  /// Reads `[`, at most `limit` whole numbers and `]`.
  mutating func jsonNumbers(
    _ meaning: String, limit: Int
  ) throws(TensorFileError) -> [Int] {
    try expect("[")
    skipJSONBlanks()
    var numbers: [Int] = []
    if accept("]") { return numbers }
    repeat {
      guard numbers.count < limit else {
        throw error(expected: "at most \(limit) numbers", found: "more")
      }
      skipJSONBlanks()
      numbers.append(try wholeNumber(meaning))
      skipJSONBlanks()
    } while accept(",")
    try expect("]", " or ','")
    return numbers
  }

  /// Reads a string.
  mutating func jsonString() throws(TensorFileError) -> String {
    let start = offset
    try expect("\"")
    var content: [UInt8] = []
    while true {
      let place = offset
      switch take() {
      case UInt8(ascii: "\""):
        guard let text = String(validating: content, as: UTF8.self) else {
          throw error(expected: "a string in UTF-8", found: "other bytes", at: start)
        }
        return text
      case UInt8(ascii: "\\"):
        content.append(contentsOf: Array(String(try jsonEscape(at: place)).utf8))
      case .some(let byte) where byte >= 0x20:
        content.append(byte)
      case .some:
        throw error(
          expected: "a string without control characters", found: "one", at: place)
      case nil:
        throw error(expected: "'\"' at the end of a string")
      }
    }
  }

  /// Reads what follows a backslash.
  private mutating func jsonEscape(at place: Int) throws(TensorFileError) -> Unicode.Scalar {
    switch take() {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var value = try fourHexadecimalDigits(at: place)
      if value & 0xfc00 == 0xd800, accept("\\"), accept("u") {
        let low = try fourHexadecimalDigits(at: place)
        // A second half that is none leaves the first alone, which is no character.
        if low & 0xfc00 == 0xdc00 { value = 0x10000 + (value & 0x3ff) << 10 + low & 0x3ff }
      }
      // NUL separates the parts that the content's digest is made of.
      guard value != 0, let scalar = Unicode.Scalar(value) else {
        throw error(expected: "an escaped character", found: "NUL or half of one", at: place)
      }
      return scalar
    default:
      throw error(expected: "an escape sequence of JSON", found: "another", at: place)
    }
  }

  private mutating func fourHexadecimalDigits(at place: Int) throws(TensorFileError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = take(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw error(expected: "four hexadecimal digits", found: "others", at: place)
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}

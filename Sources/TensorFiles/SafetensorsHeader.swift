/// The head of a safetensors file: its length, JSON, and what the JSON says.
struct SafetensorsHeader {
  /// The limit of the reference implementation, in bytes.
  static let maximumByteCount = 100_000_000
  /// Bytes of the number that stands before the JSON.
  static let lengthByteCount = 8
  /// The one key of the header that is no tensor.
  static let metadataKey = "__metadata__"

  private(set) var metadata: [String: String] = [:]
  /// In the order of their bytes in the file.
  private(set) var tensors: [SafetensorsFile.Tensor] = []

  /// Decodes the head of a file and checks it against the file's size.
  /// - Throws: `TensorFileError` at the first thing that is not what was expected.
  init(decoding bytes: UnsafeRawBufferPointer, path: String) throws(TensorFileError) {
    let end = try Self.end(of: bytes, path: path)
    var scanner = ByteScanner(
      path: path, bytes: bytes, range: Self.lengthByteCount..<end, endName: "the header's end")
    var entries: [Entry] = []
    var names: Set<String> = []
    try scanner.jsonObject { (scanner, key, place) throws(TensorFileError) in
      // Equal names include those that only differ in how an accent is encoded: no reader of
      // this project could tell them apart.
      guard names.insert(key).inserted else {
        throw scanner.error(
          expected: "each name once", found: "\(TensorFileError.quoted(key)) again", at: place)
      }
      if key == Self.metadataKey {
        metadata = try Self.metadata(&scanner)
      } else {
        entries.append(try Entry(name: key, place: place, scanner: &scanner))
      }
    }
    scanner.skipJSONBlanks()
    guard scanner.next == nil else {
      throw scanner.error(expected: "nothing but spaces behind the header's JSON")
    }
    tensors = try Self.arrange(entries, in: end..<bytes.count, path: path)
  }

  /// Where the header ends and the tensors begin.
  private static func end(
    of bytes: UnsafeRawBufferPointer, path: String
  ) throws(TensorFileError) -> Int {
    guard bytes.count >= lengthByteCount else {
      throw .broken(
        path, atByte: bytes.count, expected: "\(lengthByteCount) bytes of the header's length",
        found: "the end of the file")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= maximumByteCount else {
      throw .broken(
        path, atByte: 0, expected: "a header of at most \(maximumByteCount) bytes",
        found: "a length of \(length)")
    }
    let rest = bytes.count - lengthByteCount
    guard length <= rest else {
      throw .broken(
        path, atByte: bytes.count, expected: "\(length) bytes of header",
        found: "the end of the file after \(rest) of them")
    }
    return lengthByteCount + Int(length)
  }

  private static func metadata(
    _ scanner: inout ByteScanner
  ) throws(TensorFileError) -> [String: String] {
    var metadata: [String: String] = [:]
    try scanner.jsonObject { (scanner, key, place) throws(TensorFileError) in
      guard metadata.updateValue(try scanner.jsonString(), forKey: key) == nil else {
        throw scanner.error(
          expected: "each key once", found: "\(TensorFileError.quoted(key)) again", at: place)
      }
    }
    return metadata
  }

  /// Brings the entries into the order of their bytes, which must fill `content` without a gap.
  private static func arrange(
    _ entries: [Entry], in content: Range<Int>, path: String
  ) throws(TensorFileError) -> [SafetensorsFile.Tensor] {
    // Entries at the same place have no bytes, but for the last: they keep the header's order.
    let sorted = entries.enumerated().sorted { first, second in
      (first.element.begin, first.element.end, first.offset)
        < (second.element.begin, second.element.end, second.offset)
    }
    var end = 0
    var tensors: [SafetensorsFile.Tensor] = []
    for (_, entry) in sorted {
      guard entry.begin == end else {
        throw .broken(
          path, atByte: entry.offsetsPlace,
          expected: "a tensor that begins where the one before it ends (\(end))",
          found: "\(TensorFileError.quoted(entry.name)) at \(entry.begin)")
      }
      guard entry.end <= content.count else {
        throw .broken(
          path, atByte: entry.offsetsPlace,
          expected: "tensors in the \(content.count) bytes behind the header",
          found: "\(TensorFileError.quoted(entry.name)) that ends at \(entry.end)")
      }
      tensors.append(
        SafetensorsFile.Tensor(
          name: entry.name, dataType: entry.dataType, shape: entry.shape,
          byteRange: content.lowerBound + entry.begin..<content.lowerBound + entry.end))
      end = entry.end
    }
    guard end == content.count else {
      throw .broken(
        path, atByte: content.lowerBound + end,
        expected: "the end of the file behind the last tensor",
        found: "\(content.count - end) more bytes")
    }
    return tensors
  }
}

extension SafetensorsHeader {
  /// What the header says of one tensor.
  private struct Entry {
    let name: String
    let dataType: TensorDataType
    let shape: [Int]
    /// Counted from the end of the header.
    let begin: Int
    let end: Int
    /// Where the header says so, for errors.
    let offsetsPlace: Int

    init(name: String, place: Int, scanner: inout ByteScanner) throws(TensorFileError) {
      var dataType: TensorDataType?
      var shape: [Int]?
      var offsets: (begin: Int, end: Int, place: Int)?
      var keys: Set<String> = []
      try scanner.jsonObject { (scanner, key, place) throws(TensorFileError) in
        guard keys.insert(key).inserted else {
          throw scanner.error(
            expected: "each key once", found: "\(TensorFileError.quoted(key)) again", at: place)
        }
        switch key {
        case "dtype": dataType = try Self.dataType(&scanner)
        case "shape":
          shape = try scanner.jsonNumbers(
            "a size", limit: TensorShape.maximumDimensionCount)
        case "data_offsets": offsets = try Self.offsets(&scanner)
        default:
          throw scanner.error(
            expected: "dtype, shape or data_offsets", found: TensorFileError.quoted(key), at: place)
        }
      }
      guard let dataType, let shape, let offsets else {
        throw scanner.error(
          expected: "dtype, shape and data_offsets of each tensor",
          found: "\(TensorFileError.quoted(name)) without all of them", at: place)
      }
      let needed = TensorShape.byteCount(shape, elementBitCount: dataType.bitCount)
      guard let needed else {
        throw scanner.error(
          expected: "sizes whose product can be counted", found: TensorShape.text(shape), at: place)
      }
      guard TensorShape.fillsBytes(shape, elementBitCount: dataType.bitCount) else {
        throw scanner.error(
          expected: "elements that fill whole bytes",
          found: "\(dataType.rawValue) \(TensorShape.text(shape))", at: place)
      }
      guard offsets.end - offsets.begin == needed else {
        throw scanner.error(
          expected: "\(needed) bytes for \(dataType.rawValue) \(TensorShape.text(shape))",
          found: "offsets \(offsets.begin) to \(offsets.end)", at: offsets.place)
      }
      self.name = name
      self.dataType = dataType
      self.shape = shape
      (begin, end, offsetsPlace) = offsets
    }

    private static func dataType(
      _ scanner: inout ByteScanner
    ) throws(TensorFileError) -> TensorDataType {
      let place = scanner.offset
      let name = try scanner.jsonString()
      guard let dataType = TensorDataType(rawValue: name) else {
        let known = TensorDataType.allCases.map(\.rawValue).joined(separator: ", ")
        throw scanner.error(
          expected: "a dtype of \(known)", found: TensorFileError.quoted(name), at: place)
      }
      return dataType
    }

    private static func offsets(
      _ scanner: inout ByteScanner
    ) throws(TensorFileError) -> (begin: Int, end: Int, place: Int) {
      let place = scanner.offset
      let numbers = try scanner.jsonNumbers("an offset", limit: 2)
      guard numbers.count == 2, numbers[0] <= numbers[1] else {
        throw scanner.error(
          expected: "two offsets, the smaller one first", found: TensorShape.text(numbers),
          at: place)
      }
      return (numbers[0], numbers[1], place)
    }
  }
}

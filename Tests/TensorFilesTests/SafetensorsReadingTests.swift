import Testing

@testable import TensorFiles

/// A file of this header, as long as it is, and these bytes behind it.
func safetensors(_ header: String, _ content: [UInt8] = []) -> [UInt8] {
  withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
    + content
}

private func read(_ bytes: [UInt8]) throws(TensorFileError) -> SafetensorsFile {
  try bytes.withUnsafeBufferPointer { (bytes) throws(TensorFileError) in
    try SafetensorsFile(copying: UnsafeRawBufferPointer(bytes), path: "a.safetensors")
  }
}

/// Header of one tensor.
private func one(_ dataType: String = "U8", _ shape: String = "[2]", _ offsets: String = "[0,2]")
  -> String
{
  #"{"a":{"dtype":"\#(dataType)","shape":\#(shape),"data_offsets":\#(offsets)}}"#
}

/// Expects that the file is refused at that byte, in words with `words` in them.
private func expectBroken(
  _ bytes: [UInt8], at offset: Int, _ words: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let error = #expect(throws: TensorFileError.self, sourceLocation: sourceLocation) {
    _ = try read(bytes)
  }
  #expect(error?.kind == .broken, sourceLocation: sourceLocation)
  #expect(error?.path == "a.safetensors", sourceLocation: sourceLocation)
  #expect(error?.byteOffset == offset, sourceLocation: sourceLocation)
  #expect(
    error?.message.contains(words) == true, "\(error?.message ?? "")",
    sourceLocation: sourceLocation)
}

@Suite struct SafetensorsReadingTests {
  @Test func readsWhatPythonWrote() throws {
    let file = try read(PythonFiles.safetensors)
    #expect(file.metadata == ["format": "np", "ä\n": "\"\\"])
    #expect(file.tensors.map(\.name) == ["steps", "weight", "none", "one"])
    #expect(file.tensors.map(\.dataType) == [.int64, .float32, .float16, .uint8])
    #expect(file.tensors.map(\.shape) == [[2], [2, 3], [0, 4], []])
    #expect(try file.floats(named: "weight") == [0, 0.25, 0.5, 0.75, 1, 1.25])
    #expect(try file.integers(named: "steps") == [-1, 1 << 40])
    let bytes = file.withUnsafeBytes(of: try file.tensor(named: "one")) { Array($0) }
    #expect(bytes == [7])
  }

  @Test func everyPrefixOfAFileIsBroken() {
    for length in PythonFiles.safetensors.indices {
      let error = #expect(throws: TensorFileError.self) {
        _ = try read(Array(PythonFiles.safetensors.prefix(length)))
      }
      #expect(error?.kind == .broken)
      #expect(error?.byteOffset != nil)
    }
  }

  @Test func tensorsComeInTheOrderOfTheirBytes() throws {
    let header = """
      {"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}, \
      "a" : {"data_offsets":[ 0 , 2 ],"shape":[ 2 ],"dtype":"U8"}}
      """
    let file = try read(safetensors(header, [1, 2, 3]))
    #expect(file.tensors.map(\.name) == ["a", "b"])
    #expect(file.tensors.map(\.elementCount) == [2, 1])
  }

  @Test func aFileWithoutTensorsReads() throws {
    #expect(try read(safetensors("{}")).tensors.isEmpty)
    #expect(try read(safetensors(#"{"__metadata__":{}}   "#)).metadata.isEmpty)
  }

  @Test(arguments: TensorDataType.allCases)
  func everyTypeHasItsSize(dataType: TensorDataType) throws {
    let count = dataType.bitCount * 4 / 8
    let header = one(dataType.rawValue, "[4]", "[0,\(count)]")
    #expect(try read(safetensors(header, Array(repeating: 0, count: count))).tensors.count == 1)
    expectBroken(
      safetensors(one(dataType.rawValue, "[4]", "[0,\(count + 1)]")),
      at: 54 + dataType.rawValue.count - 2,
      "\(count) bytes for \(dataType.rawValue) [4]")
  }

  /// The list of the reference implementation.
  @Test func everyTypeOfTheFormatIsKnown() {
    let names = """
      BOOL F4 F6_E2M3 F6_E3M2 U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ I16 U16 F16 BF16 I32 U32 F32 \
      C64 F64 I64 U64
      """
    for name in names.split(separator: " ") {
      #expect(TensorDataType(rawValue: String(name)) != nil, "\(name)")
    }
  }

  /// Elements of less than a byte fill whole bytes together, or the file is broken.
  @Test(arguments: [("F4", "[3]"), ("F6_E2M3", "[2]"), ("F6_E3M2", "[3,3]")])
  func partsOfBytesAreBroken(dataType: String, shape: String) {
    expectBroken(
      safetensors(one(dataType, shape, "[0,2]")), at: 9, "elements that fill whole bytes")
  }

  @Test func elementsOfLessThanAByteAreCounted() throws {
    let file = try read(safetensors(one("F6_E2M3", "[2,2]", "[0,3]"), [1, 2, 3]))
    #expect(file.tensors[0].elementCount == 4)
  }

  @Test func namesMayHaveEscapes() throws {
    let name = #"\u0041\ud83d\ude00\/\"\\\b\f\n\r\t"#
    let header = #"{"\#(name)":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#
    #expect(try read(safetensors(header)).tensors[0].name == "A😀/\"\\\u{8}\u{c}\n\r\t")
  }

  @Test func readsAtAnyAlignment() throws {
    // 62 bytes of header and a tensor of one byte before: floats at an odd place.
    let header = """
      {"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},\
      "b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},\
      "c":{"dtype":"I64","shape":[1],"data_offsets":[5,13]}}
      """
    let content: [UInt8] = [9, 0, 0, 0x80, 0x3f, 1, 0, 0, 0, 0, 0, 0, 0x80]
    let file = try read(safetensors(header, content))
    #expect(try file.floats(named: "b", shape: [1]) == [1])
    #expect(try file.integers(named: "c", shape: [1]) == [.min + 1])
  }

  @Test func floatsAreCopiedToTheirPlace() throws {
    let file = try read(PythonFiles.safetensors)
    var values = [Float](repeating: 9, count: 6)
    try values.withUnsafeMutableBufferPointer {
      try file.copyFloats(named: "weight", shape: [2, 3], to: $0)
    }
    #expect(values == [0, 0.25, 0.5, 0.75, 1, 1.25])
  }

  // MARK: Asking for what is not there

  @Test func aTensorThatIsNotThereIsNamed() throws {
    let file = try read(PythonFiles.safetensors)
    let error = #expect(throws: TensorFileError.self) { _ = try file.floats(named: "bias") }
    #expect(error?.description == "a.safetensors: has no tensor \"bias\"")
  }

  @Test func anotherTypeOrShapeIsNamed() throws {
    let file = try read(PythonFiles.safetensors)
    let type = #expect(throws: TensorFileError.self) { _ = try file.integers(named: "weight") }
    #expect(type?.message == "expected \"weight\" as I64 [2, 3], found F32 [2, 3]")
    let shape = #expect(throws: TensorFileError.self) {
      _ = try file.floats(named: "weight", shape: [3, 2])
    }
    #expect(shape?.message == "expected \"weight\" as F32 [3, 2], found F32 [2, 3]")
    #expect(shape?.byteOffset == 312)
  }

  @Test func anAbsentFileIsMissing() {
    let error = #expect(throws: TensorFileError.self) {
      _ = try SafetensorsFile(path: "/nowhere/a.safetensors")
    }
    #expect(error?.kind == .missing)
    #expect(
      error?.description == "/nowhere/a.safetensors: cannot open it: No such file or directory")
  }

  // MARK: The header's length

  @Test func theHeaderMustHaveALength() {
    expectBroken([2], at: 1, "8 bytes of the header's length")
    expectBroken([2, 0, 0, 0, 0, 0, 0], at: 7, "the end of the file")
  }

  @Test func theHeaderMustBeInTheFile() {
    expectBroken([3, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8), at: 10, "3 bytes of header")
  }

  @Test(arguments: [100_000_001, UInt64(Int.max), .max, 1 << 63])
  func theHeaderHasALimit(length: UInt64) {
    let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) }
    expectBroken(bytes + Array("{}".utf8), at: 0, "at most 100000000 bytes")
  }

  @Test func theLimitItselfIsAllowed() {
    let bytes = withUnsafeBytes(of: UInt64(100_000_000).littleEndian) { Array($0) }
    expectBroken(bytes + Array("{}".utf8), at: 10, "100000000 bytes of header")
  }

  // MARK: JSON

  @Test(arguments: [
    ("", 8, "'{'"), (" {}", 8, "'{'"), ("[]", 8, "'{'"), ("{", 9, "'\"'"), ("{}x", 10, "spaces"),
    ("{}{}", 10, "spaces"), (#"{"a"}"#, 12, "':'"), (#"{"a":1}"#, 13, "'{'"), ("{,}", 9, "'\"'"),
    (#"{"__metadata__":{"a":1}}"#, 29, "'\"'"), (#"{"__metadata__":null}"#, 24, "'{'"),
    (#"{"__metadata__":{"a":"b",}}"#, 33, "'\"'"), (#"{"a"#, 11, "at the end of a string"),
    ("{\"a\nb\"", 11, "control characters"), (#"{"a\x""#, 11, "escape"),
    (#"{"\u00g0""#, 10, "hexadecimal"), (#"{"\ud800""#, 10, "half"), (#"{"\ude00""#, 10, "half"),
    (#"{"\ud800\ud800""#, 10, "half"), (#"{"\u0000""#, 10, "NUL"),
  ])
  func brokenJSONIsNamed(header: String, offset: Int, words: String) {
    expectBroken(safetensors(header), at: offset, words)
  }

  @Test(arguments: [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]] as [[UInt8]])
  func namesMustBeUTF8(bytes: [UInt8]) {
    let header = Array("{\"".utf8) + bytes + Array("\":{}}".utf8)
    expectBroken([UInt8(header.count), 0, 0, 0, 0, 0, 0, 0] + header, at: 9, "UTF-8")
  }

  @Test func nestingDoesNotGoDeep() {
    expectBroken(
      safetensors(#"{"a":"# + String(repeating: "[", count: 100_000)), at: 13, "'{'")
    expectBroken(
      safetensors(String(repeating: #"{"a":"#, count: 100_000)), at: 14, "dtype, shape")
  }

  @Test func eachNameStandsOnce() {
    let entry = #"{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#
    expectBroken(safetensors(#"{"a":\#(entry),"a":\#(entry)}"#), at: 61, "\"a\" again")
    expectBroken(safetensors(#"{"a":\#(entry),"\u0061":\#(entry)}"#), at: 61, "\"a\" again")
    expectBroken(
      safetensors(#"{"__metadata__":{},"__metadata__":{}}"#), at: 27, "again")
    expectBroken(safetensors(#"{"__metadata__":{"k":"","k":""}}"#), at: 32, "\"k\" again")
  }

  // MARK: Entries

  @Test(arguments: [
    ("{}", "without all"), (#"{"dtype":"U8","shape":[0]}"#, "without all"),
    (#"{"dtype":"U8","data_offsets":[0,0]}"#, "without all"),
    (#"{"shape":[0],"data_offsets":[0,0]}"#, "without all"),
    (#"{"dtype":"U8","dtype":"U8"}"#, "\"dtype\" again"), (#"{"strides":[0]}"#, "\"strides\""),
    (#"{"dtype":"u8"}"#, "a dtype of F64, F32"), (#"{"dtype":8}"#, "'\"'"),
    (#"{"shape":3}"#, "'['"), (#"{"shape":[-1]}"#, "found '-'"), (#"{"shape":[1.5]}"#, "found '.'"),
    (#"{"shape":[1e3]}"#, "found 'e'"), (#"{"shape":[01]}"#, "leading zero"),
    (#"{"shape":[1,]}"#, "a size"), (#"{"shape":["1"]}"#, "a size"),
    (#"{"shape":[9223372036854775808]}"#, "below 2^63"), (#"{"data_offsets":[0]}"#, "two offsets"),
    (#"{"data_offsets":[0,1,2]}"#, "at most 2 numbers"),
    (#"{"data_offsets":[1,0]}"#, "two offsets"),
  ])
  func brokenEntriesAreNamed(entry: String, words: String) {
    let error = #expect(throws: TensorFileError.self) {
      _ = try read(safetensors(#"{"a":\#(entry)}"#))
    }
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    #expect((9...60).contains(error?.byteOffset ?? 0))
  }

  @Test func sizesThatOverflowAreBroken() {
    let huge = "[4294967296,4294967296]"
    expectBroken(safetensors(one("U8", huge, "[0,0]")), at: 9, "product")
    expectBroken(safetensors(one("F64", "[2305843009213693952]", "[0,0]")), at: 9, "product")
  }

  @Test func dimensionsHaveALimit() throws {
    let most = "[" + Array(repeating: "1", count: 64).joined(separator: ",") + "]"
    #expect(try read(safetensors(one("U8", most, "[0,1]"), [0])).tensors[0].shape.count == 64)
    let more = "[" + Array(repeating: "1", count: 65).joined(separator: ",") + "]"
    expectBroken(safetensors(one("U8", more, "[0,1]"), [0]), at: 164, "at most 64")
  }

  // MARK: Where the bytes are

  private func two(_ first: String, _ second: String) -> [UInt8] {
    safetensors(
      """
      {"a":{"dtype":"U8","shape":[2],"data_offsets":\(first)},\
      "b":{"dtype":"U8","shape":[2],"data_offsets":\(second)}}
      """, [1, 2, 3, 4])
  }

  @Test func tensorsFillTheFile() throws {
    #expect(try read(two("[0,2]", "[2,4]")).tensors.map(\.byteRange.count) == [2, 2])
    #expect(try read(two("[2,4]", "[0,2]")).tensors.map(\.name) == ["b", "a"])
  }

  @Test func holesAreBroken() {
    expectBroken(two("[1,3]", "[3,5]"), at: 54, "(0), found \"a\" at 1")
    expectBroken(two("[0,2]", "[3,5]"), at: 106, "(2), found \"b\" at 3")
  }

  @Test func overlapsAreBroken() {
    expectBroken(two("[0,2]", "[1,3]"), at: 106, "(2), found \"b\" at 1")
    expectBroken(two("[0,2]", "[0,2]"), at: 106, "(2), found \"b\" at 0")
  }

  @Test func tensorsBehindTheEndAreBroken() {
    expectBroken(safetensors(one(), [1]), at: 54, "in the 1 bytes behind the header")
    expectBroken(
      safetensors(one("U8", "[9223372036854775807]", "[0,9223372036854775807]"), [1]), at: 72,
      "ends at 9223372036854775807")
  }

  @Test func trailingBytesAreBroken() {
    expectBroken(safetensors(one(), [1, 2, 3]), at: 8 + one().utf8.count + 2, "found 1 more bytes")
    expectBroken(safetensors("{}", [1]), at: 10, "1 more bytes")
  }

  @Test func messagesStayShort() {
    let name = String(repeating: "n\\n", count: 10_000)
    let error = #expect(throws: TensorFileError.self) {
      _ = try read(safetensors("{\"\(name)\":{}}"))
    }
    #expect((error?.message.count ?? 1000) < 250)
    #expect(error?.message.contains("\n") == false)
  }

  /// What stands in place of the file is called by its name, with what to do about it.
  @Test(arguments: [
    ("<!DOCTYPE html><html>", "an HTML page"), ("", "an empty file"),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "git lfs pull"),
    ("PK\u{3}\u{4}archive/data.pkl", "a zip archive"),
    ("{\"message\":\"Not Found\"}", "the error message of a server"),
    (String(repeating: "a", count: 257) + "ustar  ", "a tar archive"),
  ])
  func anotherFileIsCalledWhatItIs(text: String, words: String) {
    expectBroken(Array(text.utf8), at: 0, "expected a safetensors file, found ")
    expectBroken(Array(text.utf8), at: 0, words)
  }

  @Test func compressedFilesAndPicklesAreCalledWhatTheyAre() {
    expectBroken([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], at: 0, "found a gzip file")
    expectBroken([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9], at: 0, "found a Python pickle")
    // A header of 640 bytes begins like a pickle.
    let header = "{\"__metadata__\":{}" + String(repeating: " ", count: 621) + "}"
    #expect(header.utf8.count == 640)
    #expect(throws: Never.self) { try read(safetensors(header)) }
  }

  @Test func namesCannotActOnTheTerminal() {
    let error = #expect(throws: TensorFileError.self) {
      _ = try read(safetensors("{\"a\u{9B}31m\u{202E}b\":{}}"))
    }
    #expect(error?.message.contains("\"a\\u{9b}31m\\u{202e}b\"") == true, "\(error?.message ?? "")")
    let named = TensorFileError(kind: .missing, path: "x\u{1B}[1m\n", message: "no")
    #expect(named.description == "x\\u{1b}[1m\\n: no")
  }
}

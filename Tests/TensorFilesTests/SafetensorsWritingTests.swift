import Files
import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite struct SafetensorsWritingTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path("a.safetensors")
  }

  private typealias Part = (name: String, dataType: TensorDataType, shape: [Int], bytes: [UInt8])

  private func write(
    _ parts: [Part], metadata: [String: String] = [:], addsDigest: Bool = false
  ) throws {
    let all = parts.flatMap(\.bytes)
    try all.withUnsafeBytes { all in
      var tensors: [SafetensorsWriter.Tensor] = []
      var begin = 0
      for part in parts {
        let bytes = UnsafeRawBufferPointer(rebasing: all[begin..<begin + part.bytes.count])
        tensors.append(
          SafetensorsWriter.Tensor(
            name: part.name, dataType: part.dataType, shape: part.shape, bytes: bytes))
        begin += part.bytes.count
      }
      try SafetensorsWriter.write(tensors, metadata: metadata, addsDigest: addsDigest, to: path)
    }
  }

  private func written() throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.url("a.safetensors")))
  }

  private let sample: [Part] = [
    ("z", .float32, [2, 1], [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]),
    ("ä\"\\\n\u{1}", .int64, [1], [7, 0, 0, 0, 0, 0, 0, 0]), ("none", .float64, [3, 0], []),
    ("b", .bool, [], [1]),
  ]

  @Test(arguments: [false, true])
  func readsBackWhatItWrote(addsDigest: Bool) throws {
    try write(sample, metadata: ["k": "v\t\"", "a": ""], addsDigest: addsDigest)
    let file = try SafetensorsFile(path: path)
    #expect(file.tensors.map(\.name) == sample.map(\.name))
    #expect(file.tensors.map(\.shape) == sample.map(\.shape))
    #expect(file.tensors.map(\.dataType) == sample.map(\.dataType))
    for (tensor, part) in zip(file.tensors, sample) {
      #expect(file.withUnsafeBytes(of: tensor) { Array($0) } == part.bytes)
    }
    #expect(try file.floats(named: "z", shape: [2, 1]) == [1, -2])
    #expect(try file.integers(named: sample[1].name) == [7])
    #expect(file.metadata["k"] == "v\t\"")
    #expect(file.metadata.count == (addsDigest ? 3 : 2))
  }

  @Test func theBytesAreTheseAndNoOthers() throws {
    try write(
      [("b", .uint8, [2], [1, 2]), ("a", .uint8, [], [3])], metadata: ["y": "\u{1f}", "x": "\""])
    let header = """
      {"__metadata__":{"x":"\\"","y":"\\u001f"},\
      "b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},\
      "a":{"dtype":"U8","shape":[],"data_offsets":[2,3]}}
      """
    let padding = (8 - header.utf8.count % 8) % 8
    #expect(
      try written() == safetensors(header + String(repeating: " ", count: padding), [1, 2, 3]))
  }

  @Test(arguments: 0..<9)
  func contentBeginsAtAMultipleOfEight(nameLength: Int) throws {
    try write([(String(repeating: "n", count: nameLength), .uint8, [1], [9])])
    let bytes = try written()
    #expect(bytes.count % 8 == 1)
    #expect(bytes.last == 9)
  }

  @Test func nothingIsAFileToo() throws {
    try write([])
    #expect(try written() == safetensors("{}      "))
  }

  // MARK: The digest

  @Test func theDigestIsOfTheCanonicalForm() throws {
    let parts: [Part] = [("w", .uint8, [1, 2], [5, 6]), ("s", .int8, [], [7])]
    try write(parts, metadata: ["b": "2", "a": "1"], addsDigest: true)
    // printf 'a\0001\000b\0002\000w\000U8\0001,2\000\005\006s\000I8\000\000\007' | sha256sum
    #expect(
      try SafetensorsFile(path: path).metadata["content_sha256"]
        == "22bc49723d96d054c31901b7be5b89d8037f57dca926343fa747e80fdba8896e")
  }

  @Test func anyChangeOfTheContentIsDamage() throws {
    try write(sample, metadata: ["k": "v"], addsDigest: true)
    let whole = try written()
    let content = try SafetensorsFile(path: path).tensors[0].byteRange.lowerBound
    for offset in content..<whole.count {
      var damaged = whole
      damaged[offset] ^= 0x10
      try expectDamage(damaged)
    }
  }

  @Test(arguments: [
    (#""k":"v""#, #""k":"w""#), (#""k":"v""#, #""l":"v""#), ("[2,1]", "[1,2]"),
    ("\"BOOL\"", "\"U8\"  "), (#""b":{"#, #""c":{"#),
  ])
  func anyChangeOfTheHeaderIsDamage(old: String, new: String) throws {
    try write(sample, metadata: ["k": "v"], addsDigest: true)
    var whole = try written()
    let range = try #require(whole.firstRange(of: Array(old.utf8)))
    whole.replaceSubrange(range, with: Array(new.utf8))
    try expectDamage(whole)
  }

  private func expectDamage(_ bytes: [UInt8]) throws {
    let error = #expect(throws: TensorFileError.self) {
      try bytes.withUnsafeBytes { _ = try SafetensorsFile(copying: $0, path: "a") }
    }
    #expect(error?.kind == .broken)
    #expect(error?.message.contains("damaged") == true)
    #expect(error?.byteOffset == 8)
  }

  @Test func aFileWithoutDigestIsNotVerified() throws {
    try write([("a", .uint8, [1], [1])])
    var bytes = try written()
    bytes[bytes.count - 1] = 2
    try bytes.withUnsafeBytes { _ = try SafetensorsFile(copying: $0, path: "a") }
  }

  // MARK: What cannot be written

  private func expectNotWritten(
    _ parts: [Part], metadata: [String: String] = [:], _ words: String
  ) throws {
    try Data([1, 2, 3]).write(to: folder.url("a.safetensors"))
    let error = #expect(throws: TensorFileError.self) { try write(parts, metadata: metadata) }
    #expect(error?.kind == .notWritten)
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    #expect(try written() == [1, 2, 3])
  }

  @Test func tensorsThatNoFileCanHoldAreRefused() throws {
    let part: Part = ("a", .uint8, [1], [1])
    try expectNotWritten([part, part], "\"a\" is taken")
    try expectNotWritten([("__metadata__", .uint8, [1], [1])], "is taken")
    try expectNotWritten([("a", .uint8, [2], [1])], "[2] has 1 bytes")
    try expectNotWritten([("a", .uint8, [-1, -1], [1])], "has 1 bytes")
    try expectNotWritten([("a", .uint8, [.max, .max], [1])], "has 1 bytes")
    try expectNotWritten([("a", .uint8, Array(repeating: 1, count: 65), [1])], "65 dimensions")
    try expectNotWritten([("a\0", .uint8, [1], [1])], "NUL")
    try expectNotWritten([part], metadata: ["k": "\0"], "NUL")
    try expectNotWritten([part], metadata: ["content_sha256": ""], "the writer's own")
  }

  @Test func aMissingFolderIsNamed() {
    let path = folder.path("missing/a.safetensors")
    let error = #expect(throws: TensorFileError.self) {
      try SafetensorsWriter.write([], to: path)
    }
    #expect(error?.kind == .notWritten)
    #expect(
      error?.description == "\(path): cannot create it: No such file or directory")
  }
}

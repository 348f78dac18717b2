import Foundation
import TensorFiles
import TestSupport
import Testing

private func read(_ bytes: [UInt8]) throws(TensorFileError) -> NPYFile {
  try bytes.withUnsafeBufferPointer { (bytes) throws(TensorFileError) in
    try NPYFile(decoding: UnsafeRawBufferPointer(bytes), path: "a.npy")
  }
}

/// A file of version 1.0 with this dictionary.
private func npy(_ dictionary: String, _ content: [UInt8] = []) -> [UInt8] {
  let count = dictionary.utf8.count
  return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(count & 0xff), UInt8(count >> 8)]
    + Array(dictionary.utf8) + content
}

private func expectBroken(
  _ bytes: [UInt8], at offset: Int, _ words: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let error = #expect(throws: TensorFileError.self, sourceLocation: sourceLocation) {
    _ = try read(bytes)
  }
  #expect((error?.kind, error?.path) == (.broken, "a.npy"), sourceLocation: sourceLocation)
  #expect(
    error?.byteOffset == offset, "\(error?.description ?? "")", sourceLocation: sourceLocation)
  #expect(
    error?.message.contains(words) == true, "\(error?.message ?? "")",
    sourceLocation: sourceLocation)
}

@Suite struct NPYTests {
  private let one: [UInt8] = [0, 0, 0x80, 0x3f]

  @Test func readsWhatPythonWrote() throws {
    let file = try read(PythonFiles.float32)
    #expect(file.shape == [2, 3])
    #expect(file.values == [0, 0.25, 0.5, 0.75, 1, 1.25])
  }

  @Test func doublesAreRounded() throws {
    let file = try read(PythonFiles.float64Version2)
    #expect(file.shape == [3])
    #expect(file.values == [0.1, -.infinity, 3.5])
  }

  @Test func writesTheBytesThatPythonWrites() throws {
    let folder = try TemporaryFolder()
    try NPYFile.write(
      [0, 0.25, 0.5, 0.75, 1, 1.25], rows: 2, columns: 3, to: folder.path("a.npy"))
    // NumPy leaves room for the rows to grow by appending, so it pads more.
    let ours = [UInt8](try Data(contentsOf: folder.url("a.npy")))
    #expect(ours.suffix(24) == PythonFiles.float32.suffix(24))
    #expect(ours.count % 64 == 24)
    #expect(ours[10..<70].elementsEqual(PythonFiles.float32[10..<70]))
  }

  @Test(arguments: [(1, 1), (0, 3), (3, 0), (7, 5)])
  func readsBackWhatItWrote(rows: Int, columns: Int) throws {
    let folder = try TemporaryFolder()
    let values = (0..<rows * columns).map { Float($0) * 0.5 - 3 }
    try NPYFile.write(values, rows: rows, columns: columns, to: folder.path("a.npy"))
    let file = try NPYFile(path: folder.path("a.npy"))
    #expect(file.shape == [rows, columns])
    #expect(file.values == values)
  }

  @Test(arguments: [(2, 2), (-1, -3), (.max, .max), (3, 2)])
  func sizesThatDoNotFitAreRefused(rows: Int, columns: Int) throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: TensorFileError.self) {
      try NPYFile.write([1, 2, 3], rows: rows, columns: columns, to: folder.path("a.npy"))
    }
    #expect(error?.kind == .notWritten)
    #expect(!FileManager.default.fileExists(atPath: folder.path("a.npy")))
  }

  @Test func anAbsentFileIsMissing() {
    let error = #expect(throws: TensorFileError.self) { _ = try NPYFile(path: "/nowhere/a.npy") }
    #expect(error?.kind == .missing)
  }

  @Test(arguments: [1, 2])
  func everyPrefixOfAFileIsBroken(version: Int) {
    let whole = version == 1 ? PythonFiles.float32 : PythonFiles.float64Version2
    for length in whole.indices {
      let error = #expect(throws: TensorFileError.self) {
        _ = try read(Array(whole.prefix(length)))
      }
      #expect(error?.kind == .broken)
      #expect(error?.byteOffset == length)
    }
  }

  @Test func trailingBytesAreBroken() {
    expectBroken(PythonFiles.float32 + [0], at: 152, "1 more")
  }

  @Test func othersOrdersAndTypesAreNamed() {
    expectBroken(PythonFiles.columnsFirst, at: 44, "C order")
    expectBroken(PythonFiles.integers, at: 20, "found \"<i4\"")
  }

  @Test func theMagicAndVersionAreChecked() {
    var magic = PythonFiles.float32
    magic[3] = 0
    expectBroken(magic, at: 3, "first bytes of an .npy file")
    for version: [UInt8] in [[3, 0], [1, 1], [0, 0], [2, 1]] {
      var other = PythonFiles.float32
      other.replaceSubrange(6..<8, with: version)
      expectBroken(other, at: 6, "found \(version[0]).\(version[1])")
    }
  }

  @Test func theHeaderHasALimit() {
    let start: [UInt8] = [0x93] + Array("NUMPY".utf8)
    expectBroken(start + [1, 0, 0xff, 0xff], at: 8, "found a length of 65535")
    expectBroken(start + [2, 0, 0xff, 0xff, 0xff, 0xff], at: 8, "found a length of 4294967295")
    expectBroken(start + [2, 0, 0x10, 0x27, 0, 0], at: 12, "10000 bytes of header")
  }

  @Test(arguments: [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n",
    "{'shape': (1, 1), 'fortran_order': False, 'descr': '<f4'}",
    "{\"descr\":\"<f4\",\"fortran_order\":False,\"shape\":(1,1,)}   \n",
    "{'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 1 , ) , } \n",
  ])
  func spellingsOfPythonAreRead(dictionary: String) throws {
    #expect(try read(npy(dictionary, one)).values == [1])
  }

  @Test(arguments: [
    ("", 10, "'{'"), ("{}", 10, "descr, fortran_order and shape"), ("{", 11, "'''"),
    ("{'descr': '<f4'}", 10, "not all of them"),
    ("{'descr': '<f4', 'descr': '<f4'}", 27, "once each"),
    ("{'descr': '<f4', 'extra': 1}", 27, "\"extra\""), ("{'descr': '>f4'}", 20, "\">f4\""),
    ("{'descr': [('a', '<f4')]}", 20, "'''"), ("{'descr': '<f\\x34'}", 23, "plain characters"),
    ("{'descr: 1", 20, "plain characters"), ("{'descr' '<f4'}", 19, "':'"),
    ("{'fortran_order': True", 28, "C order"), ("{'fortran_order': Falsy", 32, "'e'"),
    ("{'fortran_order': 0", 28, "C order"), ("{'shape': 3", 20, "'('"),
    ("{'shape': ()", 20, "1 or 2 dimensions"), ("{'shape': (3)", 20, "1 or 2 dimensions"),
    ("{'shape': (,)", 21, "a size"), ("{'shape': (1, 2, 3)", 20, "1 or 2 dimensions"),
    ("{'shape': (-1,)", 21, "a size"), ("{'shape': (1 2)", 23, "')' or ','"),
    ("{'shape': (01,)", 21, "leading zero"), ("{'shape': (1.0,)", 22, "')' or ','"),
    ("{'shape': (9223372036854775808,)", 21, "below 2^63"), ("{'shape': (1,,)", 23, "a size"),
    ("{'descr': '<f4',, 'shape'", 26, "'''"), ("{'descr': '<f4' 'shape'", 26, "'}' or ','"),
  ])
  func brokenDictionariesAreNamed(dictionary: String, offset: Int, words: String) {
    expectBroken(npy(dictionary, one), at: offset, words)
  }

  @Test func nothingStandsBehindTheDictionary() {
    let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"
    expectBroken(npy(dictionary + "x", one), at: 65, "found 'x'")
    expectBroken(npy(dictionary + "\0", one), at: 65, "the byte 0x00")
  }

  @Test func sizesThatOverflowAreBroken() {
    let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"
    expectBroken(npy(dictionary, one), at: 51, "product")
  }

  @Test func hugeSizesAreBroken() {
    let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}"
    expectBroken(npy(dictionary, one), at: 10 + dictionary.utf8.count + 4, "after 4")
  }

  @Test func anotherFileIsCalledWhatItIs() {
    expectBroken(
      Array("<html><body>Log in</body></html>".utf8), at: 0,
      "expected a NumPy file (.npy), found an HTML page")
    expectBroken(
      [0x50, 0x4B, 3, 4, 20, 0, 0, 0, 0, 0], at: 0, "NumPy's .npz files are zip archives")
  }
}

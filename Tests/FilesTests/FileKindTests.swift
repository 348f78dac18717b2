import Files
import Testing

@Suite struct FileKindTests {
  private static let tar = [UInt8](repeating: 0x61, count: 257) + Array("ustar\u{0}00".utf8)

  private static let heads: [(FileKind, [UInt8])] = [
    (.empty, []), (.zeros, [UInt8](repeating: 0, count: 100)),
    (.html, Array("<!DOCTYPE html>\n<html>".utf8)),
    (.html, Array("\u{FEFF}\r\n <HTML lang=en>".utf8)),
    (.html, Array("<html".utf8)), (.xml, Array("<?xml version=\"1.0\"?><Error>".utf8)),
    (.serverMessage, Array("404: Not Found".utf8)),
    (.serverMessage, Array("{\"message\":\"Not Found\"}".utf8)),
    (.gitLFSPointer, Array("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a".utf8)),
    (.gitAnnexPointer, Array("/annex/objects/SHA256E-s9912422--440f.gz\n".utf8)),
    (.zip, Array("PK\u{3}\u{4}\u{14}".utf8)), (.zip, Array("PK\u{5}\u{6}\u{0}".utf8)), (.tar, tar),
    (.gzip, [0x1F, 0x8B, 8]), (.xz, [0xFD] + Array("7zXZ\u{0}".utf8)),
    (.zstandard, [0x28, 0xB5, 0x2F, 0xFD]), (.bzip2, Array("BZh91AY".utf8)),
    (.sevenZip, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]), (.rar, Array("Rar!\u{1A}\u{7}\u{1}".utf8)),
    (.lz4, [0x04, 0x22, 0x4D, 0x18]), (.png, [0x89] + Array("PNG\r\n\u{1A}\n".utf8)),
    (.jpeg, [0xFF, 0xD8, 0xFF, 0xE0]), (.gif, Array("GIF89a".utf8)), (.pdf, Array("%PDF-1.7".utf8)),
    (.npy, [0x93] + Array("NUMPY\u{1}\u{0}".utf8)), (.hdf5, [0x89] + Array("HDF\r\n\u{1A}\n".utf8)),
    (.pickle, [0x80, 2, 0x8A, 0x0A, 0x6C]), (.pickle, [0x80, 4, 0x95, 0x10, 0, 0, 0, 0, 0, 0, 0]),
    (.parquet, Array("PAR1".utf8)), (.gguf, Array("GGUF\u{3}".utf8)),
    (.idx, [0, 0, 8, 3, 0, 0, 0xEA, 0x60]),
    (.safetensors, [0x40, 0, 0, 0, 0, 0, 0, 0] + Array("{\"a\":".utf8)),
  ]

  @Test(arguments: heads)
  func isKnownByItsFirstBytes(kind: FileKind, head: [UInt8]) {
    #expect(FileKind(of: head) == kind)
    #expect(FileKind(of: head[...]) == kind)
  }

  @Test func everyKindIsTriedAndHasWords() {
    let tried = Set(Self.heads.map(\.0.name))
    for kind in FileKind.allCases {
      #expect(tried.contains(kind.name))
      #expect(!kind.advice.isEmpty && kind.advice.last != ".")
    }
    #expect(tried.count == FileKind.allCases.count)
  }

  @Test(arguments: [
    [1, 2, 3], Array("some words".utf8), [0, 0, 8], Array("PK".utf8),
    // A length that reads like a pickle's beginning.
    [0x80, 2, 0, 0, 0, 0, 0, 0],
  ])
  func otherFilesAreNone(head: [UInt8]) {
    #expect(FileKind(of: head) == nil)
  }
}

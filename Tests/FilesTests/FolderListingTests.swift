import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Files

@Suite struct FolderListingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func list() throws -> [FilePath.Component] {
    try FolderListing.names(in: folder.folder.path)
  }

  /// Makes an empty file of a name that need not be UTF-8.
  private func makeFile(_ name: [UInt8]) throws {
    let path = Array(folder.folder.path.utf8) + [UInt8(ascii: "/")] + name
    let file = fopen(path.map { CChar(bitPattern: $0) } + [0], "w")
    fclose(try #require(file))
  }

  @Test func namesOfFilesAndFoldersAreThere() throws {
    #expect(try list() == [])
    try makeFile(Array("a".utf8))
    try makeFile(Array(".hidden".utf8))
    try makeFile(Array("two\nlines".utf8))
    #expect(mkdir(folder.path("b"), 0o700) == 0)
    #expect(try list().map(\.string).sorted() == [".hidden", "a", "b", "two\nlines"])
  }

  @Test func aNameIsItsBytes() throws {
    let name: [UInt8] = [0x61, 0xFF, 0xC3]
    try makeFile(name)
    // The same letter for people in two spellings is two files.
    try makeFile(Array("\u{E9}".utf8))
    try makeFile(Array("e\u{301}".utf8))
    let names = try list()
    #expect(names.count == 3)
    #expect(
      names.contains { component in
        component.withPlatformString { pointer in
          name.indices.allSatisfy { UInt8(bitPattern: pointer[$0]) == name[$0] }
            && pointer[name.count] == 0
        }
      })
    #expect(names.filter { String(validating: $0) == nil }.count == 1)
  }

  @Test func theLongestNameIsWhole() throws {
    let name = String(repeating: "n", count: 255)
    try makeFile(Array(name.utf8))
    #expect(try list().map(\.string) == [name])
  }

  /// A short entry at the very end of memory: a byte behind its name must not be touched.
  @Test func nothingIsReadBehindAName() throws {
    let pageSize = Int(getpagesize())
    let memory = try #require(
      mmap(nil, 2 * pageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    defer { munmap(memory, 2 * pageSize) }
    #expect(mprotect(memory + pageSize, pageSize, PROT_NONE) == 0)
    let offset = try #require(MemoryLayout<dirent>.offset(of: \.d_name))
    // Seven letters and the zero make the entry's size a multiple of 8.
    let size = (offset + 7) / 8 * 8 + 8
    let entry = memory + pageSize - size
    for (index, byte) in Array("checked".utf8).enumerated() {
      entry.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self)
    }
    var entries = [entry.assumingMemoryBound(to: dirent.self)]
    let names = try FolderListing.names("made up") { entries.popLast() }
    #expect(names.map(\.string) == ["checked"])
  }

  @Test func aFailureOnTheWayIsNoEnd() throws {
    let error = #expect(throws: FileError.self) {
      try FolderListing.names("made up") {
        errno = EIO
        return nil
      }
    }
    #expect(error == FileError(path: "made up", call: .list, code: EIO))
  }

  @Test func whatCannotBeListedIsNamed() throws {
    try makeFile(Array("file".utf8))
    for (name, code) in [("none", ENOENT), ("file", ENOTDIR)] {
      let path = folder.path(name)
      let error = #expect(throws: FileError.self) { try FolderListing.names(in: path) }
      #expect(error == FileError(path: path, call: .list, code: code))
    }
    #expect(throws: FileError.self) { try FolderListing.names(in: folder.folder.path + "\0a") }
  }

  @Test func everyFolderIsClosed() throws {
    _ = try list()
    let open = try FolderListing.names(in: "/proc/self/fd").compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0.string)")
    }
    #expect(open.count > 2 && !open.contains(folder.folder.path))
  }
}

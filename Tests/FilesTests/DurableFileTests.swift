import Foundation
import TestSupport
import Testing

@testable import Files

/// Calls that reach the system but can be told to fail; what they did, in order.
private final class ScriptedCalls {
  var events: [String] = []
  /// Failures to come, by the name of the call; each is used once.
  var failures: [String: [Int32]] = [:]
  /// The most bytes that one write takes.
  var writeLimit = Int.max

  private func outcome<Value: SignedInteger>(
    _ name: String, _ call: () -> SystemCalls.Outcome<Value>
  ) -> SystemCalls.Outcome<Value> {
    events.append(name)
    if var codes = failures[name], !codes.isEmpty {
      let code = codes.removeFirst()
      failures[name] = codes
      // 0 stands for a call that should pass.
      if code != 0 { return (-1, code) }
    }
    return call()
  }

  var calls: SystemCalls {
    let system = SystemCalls()
    var calls = SystemCalls()
    calls.open = { path, flags in
      let name =
        flags & O_DIRECTORY != 0 ? "open folder" : flags & O_CREAT != 0 ? "create" : "look at"
      return self.outcome(name) { system.open(path, flags) }
    }
    calls.write = { descriptor, bytes in
      let part = UnsafeRawBufferPointer(rebasing: bytes.prefix(self.writeLimit))
      return self.outcome("write") { system.write(descriptor, part) }
    }
    calls.fsync = { descriptor in self.outcome("fsync") { system.fsync(descriptor) } }
    calls.close = { descriptor in
      let closed = system.close(descriptor)
      return self.outcome("close") { closed }
    }
    calls.rename = { old, new in self.outcome("rename") { system.rename(old, new) } }
    calls.lock = { descriptor in self.outcome("lock") { system.lock(descriptor) } }
    calls.unlink = { path in
      self.events.append("unlink")
      system.unlink(path)
    }
    return calls
  }
}

@Suite struct DurableFileTests {
  private let folder: TemporaryFolder
  private let scripted = ScriptedCalls()
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path("a")
  }

  private func content(_ name: String = "a") -> [UInt8]? {
    FileManager.default.contents(atPath: folder.path(name)).map { [UInt8]($0) }
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.folder.path).sorted()
  }

  private func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try DurableFile.write($0, to: path, calls: scripted.calls) }
  }

  @Test func bytesArriveUnchanged() throws {
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try DurableFile.write(bytes, to: path)
    #expect(content() == bytes)
    #expect(try names() == ["a"])
  }

  @Test func anEmptyFileIsAFile() throws {
    try DurableFile.write([UInt8](), to: path)
    #expect(content() == [])
  }

  @Test func piecesArriveInOrder() throws {
    try DurableFile.write(to: path) { writer in
      try writer.write("ä")
      try writer.write([1, 2])
      try [UInt8(3)].withUnsafeBytes { try writer.write($0) }
    }
    #expect(content() == [0xc3, 0xa4, 1, 2, 3])
  }

  @Test func whatCanBeWrittenIsKnownBefore() throws {
    try DurableFile.probe(path)
    #expect(try names() == [])
    try DurableFile.write("old", to: path)
    try DurableFile.probe(path)
    #expect(content() == Array("old".utf8))
    #expect(try names() == ["a"])
    for (bad, code) in [(folder.path("b/a"), ENOENT), (folder.folder.path, EISDIR)] {
      let error = #expect(throws: FileError.self) { try DurableFile.probe(bad) }
      #expect(error?.code == code)
    }
  }

  @Test func anOlderFileIsReplaced() throws {
    try DurableFile.write([1, 2, 3], to: path)
    try DurableFile.write([4], to: path)
    #expect(content() == [4])
  }

  @Test func fileThenNameThenFolder() throws {
    try write([1])
    #expect(
      scripted.events == [
        "create", "lock", "write", "fsync", "close", "rename", "open folder", "fsync", "close",
      ])
  }

  @Test func shortWritesAreContinued() throws {
    scripted.writeLimit = 3
    try write(Array(0..<10))
    #expect(content() == Array(0..<10))
    #expect(scripted.events.filter { $0 == "write" }.count == 4)
  }

  @Test func interruptionsAreNoErrors() throws {
    scripted.failures = ["write": [EINTR, EINTR], "fsync": [EINTR, 0, EINTR], "close": [EINTR]]
    try write([1, 2])
    #expect(content() == [1, 2])
  }

  @Test(arguments: [EINVAL, ENOTSUP])
  func aFileSystemThatCannotFlushKeepsTheFile(code: Int32) throws {
    scripted.failures = ["fsync": [code, code]]
    try write([1])
    #expect(content() == [1])
  }

  @Test func aFolderThatCannotBeReadKeepsTheFile() throws {
    scripted.failures = ["open folder": [EACCES]]
    try write([1])
    #expect(content() == [1])
  }

  @Test(arguments: [
    ("create", EROFS, FileError.Call.create), ("create", ENOSPC, .create),
    ("write", ENOSPC, .write),
    ("write", EIO, .write), ("fsync", EIO, .flush), ("fsync", ENOSPC, .flush),
    ("close", ENOSPC, .close), ("rename", EROFS, .rename), ("rename", ENOSPC, .rename),
  ])
  func anyFailureLeavesTheOlderFileAlone(
    name: String, code: Int32, call: FileError.Call
  ) throws {
    try DurableFile.write([1, 2, 3], to: path)
    scripted.failures = [name: [code]]
    let error = try #require(throws: FileError.self) { try write([4]) }
    #expect((error.call, error.code) == (call, code))
    #expect(error.reason == String(cString: strerror(code)))
    #expect(error.description.contains(path))
    #expect(content() == [1, 2, 3])
    #expect(try names() == ["a"])
  }

  @Test func aDiskThatFillsUpOnTheWayLeavesNothing() throws {
    scripted.writeLimit = 3
    scripted.failures = ["write": [0, 0, ENOSPC]]
    #expect(throws: FileError.self) { try write(Array(0..<10)) }
    #expect(try names().isEmpty)
  }

  @Test func aFolderThatCannotBeFlushedIsAnError() throws {
    scripted.failures = ["fsync": [0, EIO]]
    let error = try #require(throws: FileError.self) { try write([4]) }
    #expect(error.path == folder.folder.path)
    #expect(content() == [4])
  }

  @Test func everyDescriptorIsClosed() throws {
    for name in ["write", "fsync", "rename"] {
      scripted.failures = [name: [EIO]]
      #expect(throws: FileError.self) { try write([4]) }
    }
    let opened = scripted.events.filter { $0 == "create" || $0 == "open folder" }.count
    #expect(scripted.events.filter { $0 == "close" }.count == opened)
  }

  @Test func anErrorOfTheBodyLeavesTheOlderFileAlone() throws {
    struct Stop: Error {}
    try DurableFile.write([1, 2, 3], to: path)
    #expect(throws: Stop.self) {
      try DurableFile.write(to: path) { writer in
        try writer.write([9])
        throw Stop()
      }
    }
    #expect(content() == [1, 2, 3])
    #expect(try names() == ["a"])
  }

  @Test func aWriterThatWasKeptWritesNothing() throws {
    var kept: DurableFile.Writer?
    try DurableFile.write(to: path) { writer in kept = writer }
    let error = #expect(throws: FileError.self) { try kept?.write([1]) }
    #expect(error?.code == EBADF)
    #expect(content() == [])
  }

  @Test func aFolderInPlaceOfTheFileStays() throws {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false)
    let error = try #require(throws: FileError.self) { try DurableFile.write([1], to: path) }
    #expect((error.call, error.code) == (.create, EISDIR))
    #expect(try names() == ["a"])
  }

  @Test func aMissingFolderIsNamed() throws {
    let path = folder.path("missing/a")
    let error = try #require(throws: FileError.self) { try DurableFile.write([1], to: path) }
    #expect("\(error)" == "cannot create \(path): No such file or directory")
  }

  @Test func aNameThatEndsEarlyIsRefused() throws {
    #expect(throws: FileError.self) { try DurableFile.write([1], to: path + "\0b") }
    #expect(try names().isEmpty)
  }
}

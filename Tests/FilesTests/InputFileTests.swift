import Files
import Foundation
import TestSupport
import Testing

@Suite struct InputFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func file(_ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: folder.url("a"))
    return folder.path("a")
  }

  @Test(arguments: [0, 1, 300_000])
  func readsAllBytes(count: Int) throws {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let input = try InputFile(path: file(bytes))
    #expect(input.bytes.elementsEqual(bytes))
  }

  @Test func copiesWhatIsInMemory() throws {
    let input = try [UInt8](1...5).withUnsafeBytes { try InputFile(copying: $0, path: "name") }
    #expect(input.bytes.elementsEqual(1...5))
    #expect(input.path == "name")
  }

  @Test func theLimitIsTheLargestSizeAllowed() throws {
    let path = try file([1, 2, 3])
    #expect(try InputFile(path: path, maximumByteCount: 3).bytes.count == 3)
    let error = try #require(throws: FileError.self) {
      _ = try InputFile(path: path, maximumByteCount: 2)
    }
    #expect("\(error)" == "cannot read \(path): it has 3 bytes, more than the 2 expected at most")
  }

  @Test func anAbsentFileIsNamed() throws {
    let path = folder.path("none")
    let error = try #require(throws: FileError.self) { _ = try InputFile(path: path) }
    #expect((error.path, error.call, error.code) == (path, .open, ENOENT))
  }

  @Test func aFolderIsRefused() throws {
    let error = try #require(throws: FileError.self) {
      _ = try InputFile(path: folder.folder.path)
    }
    #expect(error.reason == "it is a folder")
  }

  @Test(.timeLimit(.minutes(15)))
  func aPipeIsRefused() throws {
    #expect(mkfifo(folder.path("pipe"), 0o600) == 0)
    let error = try #require(throws: FileError.self) {
      _ = try InputFile(path: folder.path("pipe"))
    }
    #expect(error.reason == "it is no regular file")
  }

  @Test func aDeviceIsRefused() throws {
    #expect(throws: FileError.self) { _ = try InputFile(path: "/dev/zero") }
  }

  @Test func aFileWithMoreThanItsSizeIsRefused() throws {
    // Files of /proc say that they have no bytes, and have some.
    let error = try #require(throws: FileError.self) {
      _ = try InputFile(path: "/proc/self/status")
    }
    #expect(error.reason.contains("more than the 0 bytes"))
  }

  @Test func aNameThatEndsEarlyIsRefused() throws {
    let path = try file([1])
    #expect(throws: FileError.self) { _ = try InputFile(path: path + "\0b") }
  }
}

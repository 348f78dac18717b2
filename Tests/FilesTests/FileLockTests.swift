import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct FileLockTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.path("run.lock")
  }

  private func content(_ name: String = "run.lock") -> String? {
    FileManager.default.contents(atPath: folder.path(name)).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  private func refusal() -> FileLock.Refusal? {
    #expect(throws: FileLock.Refusal.self) { _ = try FileLock(path: path, hostName: "here") }
  }

  private func reason() -> String? {
    guard case .unusable(let error) = refusal() else { return nil }
    #expect(error.path == path)
    return error.reason
  }

  @Test func oneHasItAtATime() throws {
    let lock = try FileLock(path: path, hostName: "here")
    #expect(lock.missingLock == nil)
    #expect(content() == "process \(getpid()) on here")
    #expect(refusal() == .held(owner: "process \(getpid()) on here"))
    _ = consume lock
  }

  @Test func lookingTakesAndMakesNothing() throws {
    try FileLock.demandFree(path: path)
    #expect(content() == nil)
    let lock = try FileLock(path: path, hostName: "here")
    #expect(throws: FileLock.Refusal.held(owner: "process \(getpid()) on here")) {
      try FileLock.demandFree(path: path)
    }
    _ = consume lock
    try FileLock.demandFree(path: path)
    #expect(content() == "process \(getpid()) on here")
    try Data("precious".utf8).write(to: folder.url("run.lock"))
    #expect(throws: FileLock.Refusal.self) { try FileLock.demandFree(path: path) }
    try FileManager.default.removeItem(atPath: path)
    #expect(symlink("/dev/null", path) == 0)
    #expect(throws: FileLock.Refusal.self) { try FileLock.demandFree(path: path) }
  }

  @Test func itIsGivenBack() throws {
    for host in ["a-long-name", "b"] {
      let lock = try FileLock(path: path, hostName: host)
      #expect(content() == "process \(getpid()) on \(host)")
      _ = consume lock
    }
  }

  @Test func theOwnersTextIsNotTrusted() throws {
    let lock = try FileLock(path: path, hostName: "here")
    let text = "process 1 on \u{1B}[2J\u{202E}\n" + String(repeating: "x", count: 10_000)
    try Data(text.utf8).write(to: folder.url("other"))
    // The lock stays on the file that its owner has open.
    let file = open(path, O_WRONLY | O_TRUNC)
    #expect(Glibc.write(file, text, text.utf8.count) == text.utf8.count)
    close(file)
    guard case .held(let owner) = refusal() else {
      Issue.record("nobody has it")
      return
    }
    #expect(owner.hasPrefix("process 1 on \\u{1b}[2J\\u{202e}\\nxxx"))
    #expect(owner.utf8.count < 250)
    _ = consume lock
  }

  @Test func aLinkIsNotFollowed() throws {
    try Data("precious".utf8).write(to: folder.url("precious"))
    try FileManager.default.createSymbolicLink(
      atPath: path, withDestinationPath: folder.path("precious"))
    #expect(reason() == "it is a symbolic link; remove it")
    #expect(content("precious") == "precious")
    // Nor is a file made where it leads.
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createSymbolicLink(
      atPath: path, withDestinationPath: folder.path("new"))
    #expect(reason() != nil)
    #expect(content("new") == nil)
  }

  @Test(arguments: ["precious", "processor list", "p\n"])
  func aFileOfSomethingElseStays(text: String) throws {
    try Data(text.utf8).write(to: folder.url("run.lock"))
    #expect(reason()?.contains("something else") == true)
    #expect(content() == text)
  }

  @Test func aSecondNameOfAFileIsNoLock() throws {
    try Data("process of making tea".utf8).write(to: folder.url("precious"))
    #expect(link(folder.path("precious"), path) == 0)
    #expect(reason()?.contains("something else") == true)
    #expect(content("precious") == "process of making tea")
  }

  @Test(arguments: ["", "proc", "process 12 on there"])
  func whatAKilledProcessLeftIsTaken(text: String) throws {
    try Data(text.utf8).write(to: folder.url("run.lock"))
    let lock = try FileLock(path: path, hostName: "here")
    #expect(content() == "process \(getpid()) on here")
    _ = consume lock
  }

  @Test(.timeLimit(.minutes(15)))
  func aPipeOrAFolderIsNoLock() throws {
    #expect(mkfifo(path, 0o600) == 0)
    #expect(reason() == "it is no regular file")
    #expect(unlink(path) == 0 && mkdir(path, 0o700) == 0)
    #expect(reason() == String(cString: strerror(EISDIR)))
  }

  @Test(arguments: [ENOLCK, ENOTSUP, ENOSYS, EINVAL])
  func aFileSystemWithoutLocksIsNoEnd(code: Int32) throws {
    let lock = try FileLock(path: path, hostName: "here") { _ in (-1, code) }
    #expect(lock.missingLock == String(cString: strerror(code)))
    #expect(content() == "process \(getpid()) on here")
  }

  @Test func anotherFailureIsAnError() throws {
    let refusal = #expect(throws: FileLock.Refusal.self) {
      _ = try FileLock(path: path, hostName: "here") { _ in (-1, EIO) }
    }
    #expect(refusal == .unusable(FileError(path: path, call: .create, code: EIO)))
  }
}

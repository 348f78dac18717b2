import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import Files

/// What stands beside a file while it is written, and what may be lying there.
@Suite struct TemporaryFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func content(_ name: String) -> String? {
    FileManager.default.contents(atPath: folder.path(name)).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.folder.path).sorted()
  }

  /// A file that was changed so many seconds ago.
  private func makeFile(_ name: String, secondsOld: Int) throws {
    try Data("precious".utf8).write(to: folder.url(name))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -Double(secondsOld))],
      ofItemAtPath: folder.path(name))
  }

  @Test func aFileOfTheUsersOwnNamedPartStays() throws {
    try Data("precious".utf8).write(to: folder.url("a.part"))
    try DurableFile.probe(folder.path("a"))
    try DurableFile.write("new", to: folder.path("a"))
    #expect(content("a.part") == "precious" && content("a") == "new")
  }

  @Test func twoWritersOfOneFileDoNotMix() throws {
    try DurableFile.write(to: folder.path("a")) { first in
      try first.write("one ")
      try DurableFile.write("second", to: folder.path("a"))
      try first.write("file")
    }
    #expect(content("a") == "one file")
    #expect(try names() == ["a"])
  }

  @Test func theNameIsFreeAndOfItsOwn() throws {
    let names = Set((0..<100).map { _ in TemporaryFile.randomName() })
    #expect(names.count == 100)
    #expect(names.allSatisfy { $0.utf8.count == 31 })
    var tried: [Int32] = []
    var calls = SystemCalls()
    calls.open = { path, flags in
      tried.append(flags)
      return tried.count < 3 ? (-1, EEXIST) : SystemCalls().open(path, flags)
    }
    let created = TemporaryFile.create(in: FilePath(folder.folder.path), calls)
    #expect(created.opened.value >= 0)
    close(created.opened.value)
    #expect(tried.count == 3)
    #expect(tried.allSatisfy { $0 & O_EXCL != 0 && $0 & O_NOFOLLOW != 0 && $0 & O_TRUNC == 0 })
  }

  @Test func theLongestNameCanBeWritten() throws {
    let name = String(repeating: "n", count: 255)
    try DurableFile.write("long", to: folder.path(name))
    #expect(content(name) == "long")
  }

  @Test func whatAKilledProcessLeftIsRemoved() throws {
    let left = TemporaryFile.randomName()
    try makeFile(left, secondsOld: 100)
    try DurableFile.write("new", to: folder.path("a"))
    #expect(try names() == ["a"])
  }

  /// A process is killed again and again while it writes: what it leaves is bounded.
  @Test func killedWritersDoNotPileUp() throws {
    for _ in 0..<20 {
      try makeFile(TemporaryFile.randomName(), secondsOld: 100)
      try DurableFile.probe(folder.path("a"))
    }
    #expect(try names().isEmpty)
  }

  @Test func whatIsBeingWrittenStays() throws {
    let (locked, fresh) = (TemporaryFile.randomName(), TemporaryFile.randomName())
    try makeFile(locked, secondsOld: 5000)
    try makeFile(fresh, secondsOld: 0)
    let file = open(folder.path(locked), O_RDONLY)
    defer { close(file) }
    #expect(flock(file, LOCK_EX) == 0)
    try DurableFile.write("new", to: folder.path("a"))
    #expect(content(locked) == "precious" && content(fresh) == "precious")
  }

  @Test func aWriterHoldsTheLockUntilTheFileHasItsName() throws {
    var isFree: [Bool] = []
    var calls = SystemCalls()
    calls.rename = { old, new in
      let file = open(old, O_RDONLY)
      isFree.append(flock(file, LOCK_EX | LOCK_NB) == 0)
      close(file)
      return SystemCalls().rename(old, new)
    }
    try Array("new".utf8).withUnsafeBytes {
      try DurableFile.write($0, to: folder.path("a"), calls: calls)
    }
    #expect(isFree == [false])
    let file = open(folder.path("a"), O_RDONLY)
    defer { close(file) }
    #expect(flock(file, LOCK_EX | LOCK_NB) == 0)
  }

  @Test(arguments: [ENOLCK, ENOTSUP, ENOSYS, EINVAL])
  func withoutLocksAgeDecides(code: Int32) throws {
    let (old, young) = (TemporaryFile.randomName(), TemporaryFile.randomName())
    try makeFile(old, secondsOld: 5000)
    try makeFile(young, secondsOld: 100)
    var calls = SystemCalls()
    calls.lock = { _ in (-1, code) }
    try Array("new".utf8).withUnsafeBytes {
      try DurableFile.write($0, to: folder.path("a"), calls: calls)
    }
    #expect(content("a") == "new")
    #expect(content(old) == nil && content(young) == "precious")
  }

  @Test func linksAndNamesThatOnlyLookAlikeStay() throws {
    try makeFile("precious", secondsOld: 5000)
    let link = TemporaryFile.randomName()
    try FileManager.default.createSymbolicLink(
      atPath: folder.path(link), withDestinationPath: folder.path("precious"))
    let others = [
      ".gan-dist-0123456789abcde.part", ".gan-dist-0123456789abcdeg.part", ".gan-dist-.part",
      ".gan-dist-0123456789abcdef.part2", "gan-dist-0123456789abcdef.part",
    ]
    for other in others { try makeFile(other, secondsOld: 5000) }
    try DurableFile.write("new", to: folder.path("a"))
    #expect(try Set(names()) == Set(others + [link, "precious", "a"]))
    #expect(content("precious") == "precious")
  }

  @Test func aDeviceIsNotReplacedByAFile() throws {
    let pipe = folder.path("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("link"), withDestinationPath: "/dev/null")
    for path in [pipe, folder.path("link")] {
      let error = #expect(throws: FileError.self) { try DurableFile.write("new", to: path) }
      #expect(error?.reason == "it is there and no regular file")
      #expect(throws: FileError.self) { try DurableFile.probe(path) }
    }
    #expect(try names() == ["link", "pipe"])
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: folder.path("link")) == "/dev/null")
  }
}

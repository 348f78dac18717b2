import Foundation
import TestSupport
import Testing

@testable import FlightRecorder

/// What is recorded is read again.
@Suite struct FlightRecorderTests {
  private let files: MadeUpRecord

  init() throws { files = try MadeUpRecord() }

  @Test func whatIsRecordedIsRead() throws {
    let before = Int(Date().timeIntervalSince1970 * 1e9)
    let recorder = try files.recorder(rank: 1, rankCount: 3, hostName: "노드")
    let names = ["a", "b"].map { recorder.register(name: $0) }
    recorder.step = 7
    recorder.enter(name: names[0], byteCount: 24)
    recorder.leave()
    recorder.step = 8
    recorder.enter(name: names[1], byteCount: 1 << 40)
    recorder.leave()
    recorder.enter(name: names[1], byteCount: 0)

    let record = try FlightRecord(path: files.path(rank: 1))
    #expect(record.rank == 1 && record.rankCount == 3 && record.hostName == "노드")
    #expect(record.processID == Int(getpid()))
    #expect(record.entries.map(\.number) == [1, 2, 3])
    #expect(record.entries.map(\.name) == ["a", "b", "b"])
    #expect(record.entries.map(\.step) == [7, 8, 8])
    #expect(record.entries.map(\.byteCount) == [24, 1 << 40, 0])
    let times = record.entries.flatMap { [$0.entered, $0.left ?? $0.entered] }
    #expect(times == times.sorted() && times[0] > before - 1_000_000_000)
    #expect(times[5] < before + 60_000_000_000)
    #expect(record.entries.map { $0.left != nil } == [true, true, false])
  }

  @Test func theRingKeepsTheLast() throws {
    let recorder = try files.recorder(slotCount: 5)
    let name = recorder.register(name: "a")
    for _ in 0..<13 {
      recorder.enter(name: name, byteCount: 8)
      recorder.leave()
    }
    #expect(try FlightRecord(path: files.path()).entries.map(\.number) == [9, 10, 11, 12, 13])
  }

  @Test func longNamesAreCutAndNamesBeyondTheTableAreNumbers() throws {
    let recorder = try files.recorder(nameCapacity: 1)
    let names = [String(repeating: "가", count: 100), "b"].map { recorder.register(name: $0) }
    for name in names { recorder.enter(name: name, byteCount: 0) }
    #expect(
      try FlightRecord(path: files.path()).entries.map(\.name)
        == [String(repeating: "가", count: 21), "exchange 1"])
  }

  /// A process may be killed between any two stores.
  @Test func anOperationWithoutItsSealIsNotThere() throws {
    try files.write(operations: 3)
    let slot = FlightRecordFormat.slotsOffset(nameCapacity: 4) + 2 * FlightRecordFormat.slotSize
    try files.change { $0[slot + FlightRecordFormat.sealOffset] = 0 }
    #expect(try FlightRecord(path: files.path()).entries.map(\.number) == [1, 2])
    // The slot of an older operation, of which only the number has been replaced.
    try files.change {
      $0[slot + FlightRecordFormat.sealOffset] = 3
      $0[slot + FlightRecordFormat.numberOffset] = 11
    }
    #expect(try FlightRecord(path: files.path()).entries.map(\.number) == [1, 2])
  }

  /// What is there makes way, and nothing that it leads to is touched.
  @Test func whatStandsInPlaceOfTheFileIsNotWrittenTo() throws {
    let precious = files.folder + "/precious"
    for hard in [false, true] {
      try Data("precious".utf8).write(to: URL(fileURLWithPath: precious))
      #expect((hard ? link : symlink)(precious, files.path(rank: 1)) == 0)
      _ = try files.recorder(rank: 1, rankCount: 3, hostName: "here")
      #expect(try Data(contentsOf: URL(fileURLWithPath: precious)) == Data("precious".utf8))
      #expect(try FlightRecord(path: files.path(rank: 1)).hostName == "here")
      #expect(unlink(files.path(rank: 1)) == 0)
    }
  }

  /// A process that still records keeps its memory when another takes its place.
  @Test func anOlderRecorderMayGoOn() throws {
    let older = try files.recorder(rank: 1, rankCount: 3, hostName: "older")
    let newer = try files.recorder(rank: 1, rankCount: 3, hostName: "newer")
    let name = older.register(name: "a")
    older.enter(name: name, byteCount: 1)
    _ = newer.register(name: "b")
    let record = try FlightRecord(path: files.path(rank: 1))
    #expect(record.hostName == "newer" && record.entries.isEmpty)
  }

  /// What was recorded before there was a folder is in the file, and so is what comes after.
  @Test func aRecorderMayGetItsFileLater() throws {
    let recorder = try FlightRecorder(rank: 1, rankCount: 2, hostName: "node1")
    let name = recorder.register(name: "early")
    recorder.enter(name: name, byteCount: 8)
    recorder.leave()
    #expect(throws: FlightRecordError.self) { try recorder.keep(in: files.folder + "/nowhere") }
    recorder.enter(name: name, byteCount: 16)
    try recorder.keep(in: files.folder)
    recorder.leave()
    recorder.enter(name: recorder.register(name: "late"), byteCount: 24)
    let record = try FlightRecord(path: files.path(rank: 1))
    #expect(record.rank == 1 && record.hostName == "node1")
    #expect(record.entries.map(\.name) == ["early", "early", "late"])
    #expect(record.entries.map(\.byteCount) == [8, 16, 24])
    #expect(record.entries.map { $0.left != nil } == [true, true, false])
  }

  @Test func aFolderThatIsNotThereIsAnError() throws {
    #expect(throws: FlightRecordError.self) {
      try FlightRecorder(
        folder: files.folder + "/nowhere", rank: 0, rankCount: 1, hostName: "node1")
    }
  }

  @Test func recordingIsCheap() throws {
    let recorder = try files.recorder(slotCount: 1024)
    let name = recorder.register(name: "a")
    let rounds = 100_000
    let seconds = try #require(
      (0..<5).map { _ in
        let start = ContinuousClock.now
        for _ in 0..<rounds {
          recorder.enter(name: name, byteCount: 8)
          recorder.leave()
        }
        return (ContinuousClock.now - start) / .seconds(1)
      }.min())
    // A debug build on a busy machine may take several times what a release build takes.
    #expect(seconds / Double(rounds) < 5e-6)
  }
}

import Foundation
import TestSupport
import Testing

@testable import FlightRecorder

/// Records of several ranks side by side.
@Suite struct FlightRecordTableTests {
  private func record(_ rank: Int, of rankCount: Int = 2, _ entries: [(Int, Int, Int?)])
    -> FlightRecord
  {
    FlightRecord(
      rank: rank, rankCount: rankCount, hostName: "node\(rank)", processID: 100 + rank,
      entries: entries.map { number, entered, left in
        FlightRecord.Entry(
          number: number, name: "layer.forward", step: 7, byteCount: 2048,
          entered: entered, left: left)
      })
  }

  @Test func aLineShowsAllRanks() {
    let lines = FlightRecordTable(
      [
        record(0, [(1, 1_000_000, 4_000_000), (2, 5_000_000, nil)]),
        record(1, [(1, 3_500_000, 4_250_000)]),
      ], last: 20
    ).lines
    #expect(
      lines.dropFirst(2) == [
        "number  step  operation      bytes       rank 0       rank 1  slowest",
        "     1     7  layer.forward   2048  0.000 3.000  2.500 3.250  rank 1 +2.500",
        "     2     7  layer.forward   2048      4.000 -            -  -",
        "rank 0 on node0 (process 100): entered layer.forward, number 2, step 7,"
          + " 0.000 ms before the last time recorded, and never left",
        "rank 1 on node1 (process 101): left layer.forward, number 1, step 7,"
          + " 0.750 ms before the last time recorded",
      ])
  }

  @Test func onlyTheLastAreShown() {
    let table = FlightRecordTable([record(0, (1...9).map { ($0, $0, $0) })], last: 2)
    #expect(table.lines.filter { $0.contains(" layer.forward  ") }.count == 2)
    #expect(table.lines.contains { $0.hasPrefix("     8 ") })
    #expect(FlightRecordTable([record(0, [(1, 1, 1)])], last: 0).lines.count == 3)
  }

  @Test(arguments: [
    ([0, 1, 2], 3, nil), ([0, 2], 3, "rank 1"), ([1], 2, "rank 0"),
    ([1, 4], 9, "ranks 0, 2-3, 5-8"),
    ([0], 4_000_000_000, "ranks 1-3999999999"),
  ])
  func ranksWithoutARecordAreNamed(present: [Int], rankCount: Int, missing: String?) {
    let lines = FlightRecordTable(present.map { record($0, of: rankCount, []) }, last: 5).lines
    #expect(
      lines.last { $0.hasPrefix("no flight record") } == missing.map { "no flight record of \($0)" }
    )
  }

  @Test func aFolderTellsWhatIsBroken() throws {
    let files = try MadeUpRecord()
    for rank in 0..<3 { try files.write(rank: rank, rankCount: 3, operations: 4) }
    try files.change(rank: 1) { $0.removeLast() }
    try Data().write(to: files.scratch.url("notes.txt"))
    let folder = try FlightRecordFolder(path: files.folder)
    #expect(folder.records.map(\.rank) == [0, 2])
    #expect(folder.errors.map(\.path) == [files.path(rank: 1)])
  }

  @Test func filesOfOtherRanksOrRunsAreBroken() throws {
    let files = try MadeUpRecord()
    try files.write(rank: 0, rankCount: 2, operations: 4)
    try files.write(rank: 1, rankCount: 3, operations: 4)
    try FileManager.default.copyItem(atPath: files.path(rank: 0), toPath: files.path(rank: 2))
    let folder = try FlightRecordFolder(path: files.folder)
    #expect(folder.records.map(\.rank) == [0])
    #expect(folder.errors.map(\.reason) == ["is of 3 ranks, others are of 2", "is of rank 0"])
  }

  @Test func aFolderWithoutRecordsIsAnError() throws {
    let files = try MadeUpRecord()
    #expect(throws: FlightRecordError.self) { try FlightRecordFolder(path: files.folder) }
    #expect(throws: FlightRecordError.self) {
      try FlightRecordFolder(path: files.folder + "/nowhere")
    }
  }

  @Test func foreignNamesInAFolderArePassedOver() throws {
    let files = try MadeUpRecord()
    _ = try files.recorder(rank: 0, rankCount: 1, hostName: "here")
    for name in ["rank_0001.bin.until", "rank_1.bin", "rank_-001.bin", "notes", "rank_000٣.bin"] {
      try Data().write(to: URL(fileURLWithPath: files.folder + "/" + name))
    }
    let bytes = Array((files.folder + "/rank_0001").utf8) + [0xFF] + Array(".bin".utf8)
    let file = open(bytes.map { CChar(bitPattern: $0) } + [0], O_CREAT | O_WRONLY, mode_t(0o600))
    #expect(file >= 0)
    close(file)
    let folder = try FlightRecordFolder(path: files.folder)
    #expect(folder.records.map(\.rank) == [0] && folder.errors.isEmpty)
  }

  /// What cannot be looked at is no reason to look elsewhere.
  @Test func aFolderThatCannotBeListedIsNamed() throws {
    let files = try MadeUpRecord()
    _ = try files.recorder(rank: 0, rankCount: 1, hostName: "here")
    let inside = files.folder + "/" + FlightRecordFolder.name
    try Data().write(to: URL(fileURLWithPath: inside))
    let error = #expect(throws: FlightRecordError.self) {
      try FlightRecordFolder(path: files.folder)
    }
    #expect(error?.description == "\(inside): Not a directory")
  }
}

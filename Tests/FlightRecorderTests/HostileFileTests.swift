import Foundation
import TestSupport
import Testing

@testable import FlightRecorder

/// Files may be cut, damaged or made up: the reader says so, and nothing else happens.
@Suite struct HostileFileTests {
  private typealias Format = FlightRecordFormat
  private let files: MadeUpRecord

  init() throws {
    files = try MadeUpRecord()
    try files.write(operations: 5)
  }

  private func put(_ value: UInt32, at offset: Int) throws {
    try files.change { bytes in
      withUnsafeBytes(of: value) { bytes.replaceSubrange(offset..<offset + 4, with: $0) }
    }
  }

  private static let fields: [(offset: Int, value: UInt32, says: String)] = [
    (Format.magicOffset, 0, "no flight record begins like this"),
    (Format.versionOffset, 1, "version 1"),
    (Format.rankOffset, 2, "rank 2 of 2 ranks"),
    (Format.rankCountOffset, 0, "rank 0 of 0 ranks"),
    (Format.slotCountOffset, 0, "0 slots"),
    (Format.slotCountOffset, .max, "4294967295 slots"),
    (Format.slotCountOffset, 9, "its header says"),
    (Format.nameCapacityOffset, 0, "0 names"),
    (Format.nameCapacityOffset, .max, "4294967295 names"),
    (Format.nameCountOffset, 5, "5 names in use"),
    (Format.hostOffset, 0x0A41, "control characters"),
    (Format.namesOffset, 0xFF, "not UTF-8"),
  ]

  @Test(arguments: fields.indices)
  func aFieldThatCannotBeIsNamed(index: Int) throws {
    let field = Self.fields[index]
    try put(field.value, at: field.offset)
    let error = try #require(files.error())
    #expect(error.path == files.path() && error.offset != nil)
    #expect(error.description.contains(field.says), "\(error)")
  }

  private static let slotFields: [(field: Int, value: UInt32, says: String)] = [
    (Format.stepOffset + 4, .max, "step of"),
    (Format.byteCountOffset + 4, .max, "byte count of"),
    (Format.enteredOffset + 4, .max, "time of"),
    (Format.leftOffset + 4, .max, "time of"),
  ]

  @Test(arguments: slotFields.indices)
  func aSlotThatCannotBeIsNamed(index: Int) throws {
    let field = Self.slotFields[index]
    let slot = Format.slotsOffset(nameCapacity: 4) + Format.slotSize
    try put(field.value, at: slot + field.field)
    let error = try #require(files.error())
    let offset = try #require(error.offset)
    #expect((slot..<slot + Format.slotSize).contains(offset))
    #expect(error.description.contains(field.says), "\(error)")
  }

  @Test func anOperationInAnothersSlotIsNamed() throws {
    let slot = Format.slotsOffset(nameCapacity: 4)
    try put(2, at: slot + Format.numberOffset)
    try put(2, at: slot + Format.sealOffset)
    #expect(files.error()?.description.contains("operation 2 is in slot 0") == true)
  }

  @Test func everyCutIsAnError() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: files.path()))
    for length in 0..<whole.count {
      try whole.prefix(length).write(to: URL(fileURLWithPath: files.path()))
      #expect(files.error()?.offset != nil, "cut to \(length) bytes")
    }
  }

  /// Whatever a few wrong bytes make of a file: it is read, or it is an error; the table can show what is read.
  @Test func mutationsCrashNothing() throws {
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: files.path())))
    var random = SplitMix(state: 11)
    var (errors, records) = (0, 0)
    for _ in 0..<5000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        // Most bytes of the file are padding: half of the mutations go where numbers are.
        let place =
          Bool.random(using: &random)
          ? Int.random(in: 0..<64, using: &random) : bytes.indices.randomElement(using: &random)
        guard let place else { continue }
        bytes[place] = Bool.random(using: &random) ? .random(in: 0...255, using: &random) : 0xFF
      }
      do {
        let record = try FlightRecordReader(path: "file", bytes: bytes).record()
        #expect(!FlightRecordTable([record], last: 100).lines.isEmpty)
        records += 1
      } catch {
        #expect(error is FlightRecordError)
        errors += 1
      }
    }
    #expect(errors > 500 && records > 50)
  }

  @Test func whatIsNoFileIsAnError() throws {
    try FileManager.default.removeItem(atPath: files.path())
    #expect(files.error()?.description == "\(files.path()): No such file or directory")
    try FileManager.default.createDirectory(
      atPath: files.path(), withIntermediateDirectories: false)
    #expect(files.error()?.description == "\(files.path()): not a file")
    try FileManager.default.removeItem(atPath: files.path())
    #expect(mkfifo(files.path(), 0o600) == 0)
    #expect(files.error()?.description == "\(files.path()): not a file")
  }
}

/// Vigna's SplitMix64: the same mutations in every run.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}

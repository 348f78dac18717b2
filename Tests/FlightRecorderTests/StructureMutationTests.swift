import Testing

@testable import FlightRecorder

/// Records whose numbers are at their limits, each by itself and in pairs: an error, or lines to read.
@Suite struct FlightRecordStructureMutationTests {
  private typealias Format = FlightRecordFormat
  private static let numbers: [UInt64] = [
    0, 1, 2, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 62, UInt64(Int.max), 1 << 63, .max,
  ]

  @Test(.timeLimit(.minutes(15)))
  func numbersMayBeAnything() throws {
    let files = try MadeUpRecord()
    let slot = Format.slotsOffset(nameCapacity: 4) + Format.slotSize
    let headerFields = [
      Format.rankOffset, Format.rankCountOffset, Format.processOffset, Format.slotCountOffset,
      Format.nameCapacityOffset, Format.nameCountOffset,
    ]
    let slotFields = [
      Format.nameOffset, Format.stepOffset, Format.byteCountOffset, Format.enteredOffset,
      Format.leftOffset, Format.numberOffset,
    ].map { slot + $0 }
    var (accepted, refused) = (0, 0)
    func tryReading(_ change: (inout [UInt8]) -> Void) throws {
      try files.write(operations: 5)
      try files.change(change)
      do {
        let record = try FlightRecord(path: files.path())
        for last in [0, 3, Int.max] {
          #expect(!FlightRecordTable([record], last: last).lines.isEmpty)
        }
        accepted += 1
      } catch let error as FlightRecordError {
        #expect(error.description.contains(files.path()))
        refused += 1
      }
    }
    func put(_ number: UInt64, _ size: Int, at offset: Int, in bytes: inout [UInt8]) {
      withUnsafeBytes(of: number.littleEndian) {
        bytes.replaceSubrange(offset..<offset + size, with: $0.prefix(size))
      }
    }
    for first in Self.numbers {
      for field in headerFields {
        try tryReading { put(first, 4, at: field, in: &$0) }
      }
      for second in Self.numbers {
        for (index, field) in slotFields.enumerated() {
          let other = slotFields[(index + 1) % slotFields.count]
          try tryReading {
            put(first, 8, at: field, in: &$0)
            put(second, 8, at: other, in: &$0)
            // What is not sealed is not read.
            let number = Array($0[slot + Format.numberOffset..<slot + Format.numberOffset + 8])
            $0.replaceSubrange(
              slot + Format.sealOffset..<slot + Format.sealOffset + 8, with: number)
          }
        }
      }
    }
    #expect(accepted > 50 && refused > 50)
  }
}

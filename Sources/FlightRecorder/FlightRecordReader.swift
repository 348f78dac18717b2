/// Makes a record of a file's bytes, and believes none of them.
struct FlightRecordReader {
  private typealias Format = FlightRecordFormat

  let path: String
  let bytes: [UInt8]

  /// - Throws: ``FlightRecordError``.
  func record() throws -> FlightRecord {
    guard bytes.count >= Format.namesOffset else {
      throw error(bytes.count, "the file ends within the header of \(Format.namesOffset) bytes")
    }
    guard word(Format.magicOffset) == Format.magic else {
      throw error(Format.magicOffset, "no flight record begins like this")
    }
    let version = number(Format.versionOffset)
    guard version == Int(Format.version) else {
      throw error(
        Format.versionOffset, "version \(version) of the format, not \(Format.version)")
    }
    let rankCount = number(Format.rankCountOffset)
    let rank = number(Format.rankOffset)
    guard rank < rankCount else {
      throw error(Format.rankOffset, "rank \(rank) of \(rankCount) ranks")
    }
    let slotCount = try number(Format.slotCountOffset, in: Format.slotCountRange, "slots")
    let nameCapacity = try number(Format.nameCapacityOffset, in: Format.nameCapacityRange, "names")
    let size = Format.fileSize(nameCapacity: nameCapacity, slotCount: slotCount)
    guard bytes.count == size else {
      throw error(
        min(bytes.count, size), "the file has \(bytes.count) bytes, its header says \(size)")
    }
    let nameCount = try number(Format.nameCountOffset, in: 0...nameCapacity, "names in use")
    let host = try text(Format.hostOffset, size: Format.hostSize)
    let names = try (0..<nameCount).map {
      try text(Format.namesOffset + $0 * Format.nameSize, size: Format.nameSize)
    }
    let slots = Format.slotsOffset(nameCapacity: nameCapacity)
    var entries: [FlightRecord.Entry] = []
    for index in 0..<slotCount {
      let offset = slots + index * Format.slotSize
      if let entry = try entry(offset, index: index, slotCount: slotCount, names: names) {
        entries.append(entry)
      }
    }
    entries.sort { $0.number < $1.number }
    return FlightRecord(
      rank: rank, rankCount: rankCount, hostName: host,
      processID: number(Format.processOffset), entries: entries)
  }

  /// The entry of a slot; nil if the slot was never used, or was being written to.
  private func entry(
    _ offset: Int, index: Int, slotCount: Int, names: [String]
  ) throws -> FlightRecord.Entry? {
    let seal = word(offset + Format.sealOffset)
    let number = word(offset + Format.numberOffset)
    guard seal != 0, seal == number else { return nil }
    // Small enough to be computed with.
    func count(_ field: Int, _ what: String) throws -> Int {
      let value = word(offset + field)
      guard value <= UInt64(Int.max) else { throw error(offset + field, "\(what) of \(value)") }
      return Int(value)
    }
    let place = Int((number - 1) % UInt64(slotCount))
    guard place == index else {
      throw error(offset, "operation \(number) is in slot \(index) in place of \(place)")
    }
    let left = try count(Format.leftOffset, "time")
    return FlightRecord.Entry(
      number: try count(Format.numberOffset, "operation number"),
      name: name(word(offset + Format.nameOffset), names),
      step: try count(Format.stepOffset, "step"),
      byteCount: try count(Format.byteCountOffset, "byte count"),
      entered: try count(Format.enteredOffset, "time"), left: left == 0 ? nil : left)
  }

  private func name(_ index: UInt64, _ names: [String]) -> String {
    index < UInt64(names.count) ? names[Int(index)] : "exchange \(index)"
  }

  private func word(_ offset: Int) -> UInt64 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
  }

  private func number(_ offset: Int) -> Int {
    Int(bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) })
  }

  private func number(_ offset: Int, in range: ClosedRange<Int>, _ what: String) throws -> Int {
    let number = number(offset)
    guard range.contains(number) else {
      throw error(
        offset, "\(number) \(what), not \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A text that ends with a zero; it goes to a terminal, so it holds no control characters.
  private func text(_ offset: Int, size: Int) throws -> String {
    let field = bytes[offset..<offset + size]
    guard let end = field.firstIndex(of: 0) else { throw error(offset, "a text without end") }
    guard let text = String(validating: field[..<end], as: UTF8.self) else {
      throw error(offset, "a text that is not UTF-8")
    }
    guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
      throw error(offset, "a text with control characters")
    }
    return text
  }

  private func error(_ offset: Int, _ reason: String) -> FlightRecordError {
    FlightRecordError(path: path, offset: offset, reason: reason)
  }
}

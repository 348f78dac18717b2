/// Where is what in a flight record, in bytes; numbers have this machine's byte order.
enum FlightRecordFormat {
  /// "GANFLITE" on a little-endian machine.
  static let magic: UInt64 = 0x4554_494C_464E_4147
  static let version: UInt32 = 2

  /// Header fields: magic (8 bytes), then numbers of 4 bytes each.
  static let magicOffset = 0
  static let versionOffset = 8
  static let rankOffset = 12
  static let rankCountOffset = 16
  static let processOffset = 20
  static let slotCountOffset = 24
  static let nameCapacityOffset = 28
  static let nameCountOffset = 32
  /// Text, padded with zeros.
  static let hostOffset = 64
  static let hostSize = 192

  /// The table of names: texts padded with zeros.
  static let namesOffset = 256
  static let nameSize = 64

  /// The ring of slots.
  static let slotSize = 64
  /// Fields of a slot, 8 bytes each. `number` is written before and `seal` after all others; a slot is
  /// whole if both are alike and not 0.
  static let numberOffset = 0
  static let nameOffset = 8
  static let stepOffset = 16
  static let byteCountOffset = 24
  static let enteredOffset = 32
  static let leftOffset = 40
  static let sealOffset = 56

  static let slotCountRange = 1...(1 << 20)
  static let nameCapacityRange = 1...(1 << 16)

  static func slotsOffset(nameCapacity: Int) -> Int { namesOffset + nameCapacity * nameSize }

  static func fileSize(nameCapacity: Int, slotCount: Int) -> Int {
    slotsOffset(nameCapacity: nameCapacity) + slotCount * slotSize
  }

  /// The name of a rank's file, such as "rank_0003.bin".
  static func fileName(rank: Int) -> String {
    let digits = String(rank)
    return "rank_" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ".bin"
  }

  /// The rank of a file of that name; nil for any other name.
  static func rank(ofFileName name: String) -> Int? {
    guard name.hasPrefix("rank_"), name.hasSuffix(".bin"),
      let rank = Int(name.dropFirst(5).dropLast(4)), fileName(rank: rank) == name
    else { return nil }
    return rank
  }
}

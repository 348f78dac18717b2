import Foundation

/// Feeds damaged files to a reader and judges what it says of each.
///
/// The inputs follow from the seed alone, so that a failure can be had again.
public struct MutationTrial {
  /// Inputs to each reader: few enough for every run of the tests. `Tests/fuzz/damaged-files.sh` asks for more.
  public static let inputCount =
    ProcessInfo.processInfo.environment["GAN_DIST_DAMAGED_FILES"].flatMap { Int($0) } ?? 20_000
  /// The seed of all inputs.
  public static let seed: UInt64 = 0x6761_6e2d_6469_7374
  /// Address space a trial may add: far less than the sizes that damaged headers claim.
  private static let memoryLimitInKilobytes = 2 << 20

  /// Inputs that were read without an error.
  public private(set) var acceptedCount = 0
  /// Inputs that gave an error.
  public private(set) var refusedCount = 0
  /// What was wrong with how the reader took them, at most a few of each.
  public private(set) var complaints: [String] = []

  /// Runs a trial; `read` returns the error's text, or nil for an input that reads.
  public init(
    of name: String, path: String, originals: [[UInt8]],
    read: (_ input: [UInt8]) throws -> String?
  ) throws {
    print("\(name): \(Self.inputCount) damaged files of seed \(Self.seed)")
    var mutator = Mutator(seed: Self.seed)
    let memoryBefore = try Self.peakKilobytes()
    for index in 0..<Self.inputCount {
      let input = mutator.damage(originals[index % originals.count])
      guard let text = try read(input) else {
        acceptedCount += 1
        continue
      }
      refusedCount += 1
      let isUseful = text.contains(path) && text.firstMatch(of: #/at byte \d+: /#) != nil
      if !isUseful, complaints.count < 5 {
        complaints.append("input \(index), \(input.count) bytes: \"\(text)\"")
      }
    }
    let added = try Self.peakKilobytes() - memoryBefore
    if added > Self.memoryLimitInKilobytes { complaints.append("\(added) KiB of memory") }
    print("\(name): \(acceptedCount) read, \(refusedCount) refused, \(added) KiB more at the peak")
  }

  /// The most address space this process ever had.
  private static func peakKilobytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmPeak:") }
    return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
  }
}

/// Damages files, always in the same way for the same seed.
public struct Mutator {
  private static let numbers: [UInt64] = [
    0, 1, 2, 7, 8, 9, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
    1 << 32, 1 << 40, 1 << 62, 1 << 63, .max, .max - 7, 99_999_999, 100_000_001,
  ]
  private static let texts = [
    "0", "9", "-", ".", "e", ",", ":", "\"", "'", "\\", "\\u", "\\ud800", "[", "]", "{", "}", "(",
    ")", " ", "\n", "999999999", "9223372036854775807", "18446744073709551616", "null", "True",
    "F64", "F32", "I64", "U8", "<f4", "<f8", ">f4", "shape", "dtype", "data_offsets", "descr",
    "__metadata__", "\u{0}", "\u{7f}", "é", "[[[[[[[[", "0,0,0,0,0,0,0,0,",
  ].map { Array($0.utf8) }

  private var state: UInt64

  /// Starts a sequence; the seed must not be 0.
  public init(seed: UInt64) { state = seed }

  /// xorshift64*
  private mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_f491_4f6c_dd1d
  }

  /// A number in 0 ..< limit; 0 for a limit of 0.
  private mutating func below(_ limit: Int) -> Int {
    limit == 0 ? 0 : Int((next() >> 33) % UInt64(limit))
  }

  /// A copy with one to four damages.
  public mutating func damage(_ original: [UInt8]) -> [UInt8] {
    var bytes = original
    for _ in 0...below(4) { damageOnce(&bytes) }
    return bytes
  }

  private mutating func damageOnce(_ bytes: inout [UInt8]) {
    let place = below(bytes.count)
    guard !bytes.isEmpty else { return bytes.append(UInt8(below(256))) }
    switch below(9) {
    case 0: bytes[place] ^= 1 << UInt8(below(8))
    case 1: bytes[place] = UInt8(below(256))
    case 2: bytes.removeLast(below(bytes.count + 1))
    case 3: bytes.append(contentsOf: (0...below(16)).map { UInt8($0) })
    case 4: bytes.removeSubrange(place..<min(place + 1 + below(16), bytes.count))
    case 5:
      let end = min(place + 1 + below(32), bytes.count)
      bytes.insert(contentsOf: Array(bytes[place..<end]), at: below(bytes.count))
    case 6: bytes.insert(contentsOf: Self.texts[below(Self.texts.count)], at: place)
    case 7:
      for (offset, byte) in Self.texts[below(Self.texts.count)].enumerated()
      where place + offset < bytes.count {
        bytes[place + offset] = byte
      }
    default:
      // Numbers in headers stand at multiples of four, so hit those more often.
      let start = below(2) == 0 ? place : min(place, 24) & ~3
      let number = Self.numbers[below(Self.numbers.count)]
      let (width, isBigEndian) = (below(2) == 0 ? 4 : 8, below(2) == 0)
      for index in 0..<width where start + index < bytes.count {
        let shift = UInt64(8 * (isBigEndian ? width - 1 - index : index))
        bytes[start + index] = UInt8(truncatingIfNeeded: number >> shift)
      }
    }
  }
}

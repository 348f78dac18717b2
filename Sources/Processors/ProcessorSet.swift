import CLinux
import Texts

/// Processors by their numbers in Linux: hardware threads, as in an affinity mask.
public struct ProcessorSet: Equatable, Sendable, CustomStringConvertible {
  /// In ascending order.
  public let numbers: [Int]

  public init(_ numbers: some Sequence<Int>) { self.numbers = Set(numbers).sorted() }

  /// Reads a list as Linux writes it, such as "0-3,8"; nil for anything else.
  public init?(list: some StringProtocol) {
    var numbers: [Int] = []
    // No machine has more; a longer range is no list of processors.
    let most = 1 << 16
    for part in list.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends[0], let last = ends[ends.count - 1], ends.count <= 2,
        0 <= first, first <= last, last < most
      else { return nil }
      numbers += first...last
    }
    self.init(numbers)
  }

  /// Those that this process may run on (sched_getaffinity(2)); empty if the system does not tell.
  public static func ofThisProcess() -> ProcessorSet {
    // Room for 65,536 processors: the system refuses less than it has.
    var words = [UInt](repeating: 0, count: 1024)
    let byteCount = readAffinityMask(&words, UInt(words.count * MemoryLayout<UInt>.stride))
    guard byteCount > 0 else { return ProcessorSet([]) }
    return ProcessorSet(
      (0..<byteCount * 8).filter { words[$0 / UInt.bitWidth] >> ($0 % UInt.bitWidth) & 1 == 1 })
  }

  /// As Linux writes it.
  public var description: String { numbers.ranges(separator: ",") }
}

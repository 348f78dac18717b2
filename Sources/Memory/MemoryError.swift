/// Memory that this process cannot have: how much, what for, and why not.
public struct MemoryError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Bytes wanted; nil if they are more than can be counted.
  public let byteCount: Int?
  /// What they were wanted for, such as "a matrix of 64 x 784 numbers".
  public let purpose: String
  /// Why there are none, for people.
  public let reason: String

  /// Makes an error about one piece of memory.
  public init(byteCount: Int?, purpose: String, reason: String) {
    self.byteCount = byteCount
    self.purpose = purpose
    self.reason = reason
  }

  /// How much, what for, why not, and what to do, on one line.
  public var description: String {
    """
    no memory for \(byteCount.map { "\($0) bytes" } ?? "more bytes than can be counted"), \
    wanted for \(purpose): \(reason). Use smaller sizes, or give the process more memory
    """
  }
}

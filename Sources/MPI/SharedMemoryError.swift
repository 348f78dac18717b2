/// No room for memory that ranks of a host were to share: thrown on all of them alike.
public struct SharedMemoryError: Error, CustomStringConvertible {
  /// The host, as MPI names it.
  public let host: String
  /// Bytes that must be free.
  public let neededByteCount: Int
  /// Bytes that are.
  public let freeByteCount: Int
  /// Where, and what to do.
  let reason: String

  public var description: String {
    "\(host) has no room for \(neededByteCount) bytes of shared memory: \(reason)"
  }
}

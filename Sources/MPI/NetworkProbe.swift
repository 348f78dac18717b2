import COpenMPI
import Glibc

extension Communicator {
  /// Bytes a second that the slowest rank sends to the next one while it receives as many from the one before
  /// (MPI_Sendrecv). Every rank must call this.
  /// - Parameters:
  ///   - byteCount: of a message.
  ///   - rounds: messages, of which the quickest counts: in the first ones TCP finds its pace.
  /// - Throws: ``MPIError``.
  public func bytesPerSecondInRing(byteCount: Int = 512 << 10, rounds: Int = 10) throws -> Double {
    let (next, previous) = ((rank + 1) % rankCount, (rank - 1 + rankCount) % rankCount)
    try connect(to: Set([next, previous]).subtracting([rank]), tag: Self.firstConnectionTag)
    let tag = try self.tag(Self.firstConnectionTag)
    let sent = UnsafeMutableRawPointer.allocate(byteCount: 2 * byteCount, alignment: 64)
    defer { sent.deallocate() }
    memset(sent, 0, 2 * byteCount)
    var quickest = Int.max
    for _ in 0..<rounds {
      let begin = Self.monotonicTime()
      try check(
        MPI_Sendrecv(
          sent, Int32(byteCount), UInt8.datatype, Int32(next), tag, sent + byteCount,
          Int32(byteCount), UInt8.datatype, Int32(previous), tag, handle, MPI_STATUS_IGNORE),
        "MPI_Sendrecv to rank \(next)")
      quickest = min(quickest, max(Self.monotonicTime() - begin, 1))
    }
    let slowest = try allGather(quickest).max() ?? quickest
    return Double(byteCount) / Double(slowest) * 1e9
  }

  private static func monotonicTime() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}

import MPI
import Memory

/// Memory that the ranks of a host share, taken piece by piece out of few windows: to make one takes long.
final class HostMemory {
  private let hosts: Hosts
  private var windows: [SharedWindow] = []
  private var own: [UnsafeMutableRawPointer] = []
  /// What is left of the last window.
  private var rest: UnsafeMutableRawBufferPointer

  private static let alignment = 64
  private static let usualByteCount = 1 << 20

  /// Makes the first window. Every rank must call this.
  /// - Throws: `SharedMemoryError` on all ranks of a host that has no room; `MPIError`.
  init(byteCount: Int, of hosts: Hosts) throws {
    self.hosts = hosts
    rest = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    if hosts.own.rankCount > 1 { try makeWindow(byteCount: byteCount) }
  }

  deinit {
    for region in own { Memory.free(region) }
  }

  private func makeWindow(byteCount: Int) throws {
    let isLeader = hosts.own.rank == 0
    let window = try SharedWindow(byteCount: isLeader ? byteCount : 0, over: hosts.own)
    windows.append(window)
    rest = window.segment(ofRank: 0)
  }

  /// The next zeros, on a cache line. Every rank of a host must call this alike.
  /// - Throws: `MemoryError`; `SharedMemoryError` on all ranks of a host; `MPIError`.
  func take(byteCount: Int, for purpose: String) throws -> UnsafeMutableRawPointer {
    if hosts.own.rankCount == 1 {
      let region = try Memory.zeros(byteCount: byteCount, for: purpose)
      own.append(region)
      return region
    }
    let padded = (max(byteCount, 1) + Self.alignment - 1) / Self.alignment * Self.alignment
    if padded > rest.count { try makeWindow(byteCount: max(padded, Self.usualByteCount)) }
    let memory = rest.baseAddress!
    rest = UnsafeMutableRawBufferPointer(rebasing: rest[padded...])
    return memory
  }
}

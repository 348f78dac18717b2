import CLinux
import Synchronization

/// A number that one thread counts up while others wait for it, in memory that threads or processes share.
///
/// What the owner wrote before it counted is seen by those who noticed. Waiters look often for a short while
/// (``Spinning``), then they sleep, and the owner wakes them (futex(2)).
public struct EventCounter: @unchecked Sendable {
  /// Bytes of memory that a counter takes: a cache line, so that nobody else's numbers are disturbed.
  public static let byteCount = 64
  /// Bytes of it that the counter uses; the others are the owner's, to be written before it counts.
  public static let usedByteCount = 8

  private let count: UnsafeMutablePointer<Atomic<UInt32>>
  /// How many sleep, or are about to.
  private let sleepers: UnsafeMutablePointer<Atomic<UInt32>>

  /// - Parameter memory: zeros of ``byteCount`` bytes, aligned to 8, that outlive the counter.
  public init(at memory: UnsafeMutableRawPointer) {
    // All zeros are the atomic number 0.
    count = memory.assumingMemoryBound(to: Atomic<UInt32>.self)
    sleepers = (memory + MemoryLayout<UInt32>.stride).assumingMemoryBound(to: Atomic<UInt32>.self)
  }

  /// Counts one up and wakes those who sleep. Only the owner may call this.
  public func advance() {
    let next = count.pointee.load(ordering: .relaxed) &+ 1
    // Both sides write, then read what the other writes: in one order for all, or a sleeper could be missed.
    count.pointee.store(next, ordering: .sequentiallyConsistent)
    if sleepers.pointee.load(ordering: .sequentiallyConsistent) != 0 { futexWake(word) }
  }

  /// How far the owner has counted.
  public var value: UInt32 { count.pointee.load(ordering: .acquiring) }

  /// Whether the owner has counted as far as `target`. Numbers go round after 2^32.
  @inline(__always)
  public func hasReached(_ target: UInt32) -> Bool {
    Self.reaches(value, target)
  }

  /// Sleeps until the owner has counted as far as `target`, at most so many nanoseconds; may return early.
  public func sleep(until target: UInt32, atMost nanoseconds: Int) {
    sleepers.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
    let seen = count.pointee.load(ordering: .sequentiallyConsistent)
    if !Self.reaches(seen, target) { futexWait(word, seen, nanoseconds) }
    sleepers.pointee.wrappingSubtract(1, ordering: .relaxed)
  }

  /// Waits until the owner has counted as far as `target`.
  public func wait(until target: UInt32) {
    if Spinning.look({ hasReached(target) }) { return }
    while !hasReached(target) { sleep(until: target, atMost: 1_000_000_000) }
  }

  private var word: UnsafePointer<UInt32> {
    UnsafeRawPointer(count).assumingMemoryBound(to: UInt32.self)
  }

  @inline(__always)
  private static func reaches(_ value: UInt32, _ target: UInt32) -> Bool {
    Int32(bitPattern: value &- target) >= 0
  }
}

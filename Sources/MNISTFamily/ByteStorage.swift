import Glibc

/// Bytes in memory that stays where it is once filled, and grows only as bytes arrive.
package final class ByteStorage {
  /// The first allocation of storage that grows, in bytes.
  private static let firstCapacity = 1 << 20

  private var base: UnsafeMutablePointer<UInt8>
  /// Bytes filled.
  package private(set) var count: Int
  /// Bytes allocated.
  package private(set) var capacity: Int
  /// Bytes it may come to hold.
  package let limit: Int
  /// Whose memory it is; nil if it is this storage's own.
  private let owner: AnyObject?

  /// Storage of `count` zero bytes; nil if memory has no room for them.
  package init?(zeroed count: Int) {
    guard let memory = calloc(max(count, 1), 1) else { return nil }
    base = memory.bindMemory(to: UInt8.self, capacity: max(count, 1))
    self.count = count
    capacity = count
    limit = count
    owner = nil
  }

  /// Storage that is all of another object's memory; keeps that object.
  package init(_ memory: UnsafeMutableRawBufferPointer, of owner: AnyObject) {
    guard let start = memory.baseAddress else { preconditionFailure("memory that is nowhere") }
    base = start.bindMemory(to: UInt8.self, capacity: memory.count)
    (count, capacity, limit) = (memory.count, memory.count, memory.count)
    self.owner = owner
  }

  /// Empty storage that may grow to `limit` bytes; nil if memory has no room.
  package init?(growingTo limit: Int) {
    capacity = min(limit, Self.firstCapacity)
    guard let memory = malloc(max(capacity, 1)) else { return nil }
    base = memory.bindMemory(to: UInt8.self, capacity: max(capacity, 1))
    count = 0
    self.limit = limit
    owner = nil
  }

  deinit {
    if owner == nil { free(base) }
  }

  /// Bytes filled.
  package var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

  /// Bytes filled, to be overwritten.
  package var mutableBytes: UnsafeMutableBufferPointer<UInt8> {
    UnsafeMutableBufferPointer(start: base, count: count)
  }

  /// Free room behind the bytes filled, at most `wanted` and never past the limit.
  /// - Returns: nil if memory has no room.
  package func room(upTo wanted: Int) -> UnsafeMutableRawBufferPointer? {
    let needed = count + min(wanted, limit - count)
    if needed > capacity {
      let doubled = capacity > limit / 2 ? limit : capacity * 2
      let grown = max(needed, doubled)
      guard let memory = realloc(base, grown) else { return nil }
      base = memory.bindMemory(to: UInt8.self, capacity: grown)
      capacity = grown
    }
    return UnsafeMutableRawBufferPointer(start: base + count, count: needed - count)
  }

  /// Counts the first `filled` bytes of the room given as content.
  package func fill(_ filled: Int) {
    precondition(filled >= 0 && filled <= capacity - count, "more bytes than there was room for")
    count += filled
  }
}

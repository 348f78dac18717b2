import Glibc

/// Memory whose size comes from files or options: it is asked for here, because Swift's own allocations
/// end the process when there is none.
public enum Memory {
  /// Bytes of `count` elements of a type.
  /// - Throws: ``MemoryError`` if there are more than can be counted.
  public static func byteCount<Element>(
    of count: Int, _ type: Element.Type, for purpose: @autoclosure () -> String
  ) throws(MemoryError) -> Int {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    guard !overflow, bytes >= 0 else { throw uncountable(purpose()) }
    return bytes
  }

  /// The product of sizes.
  /// - Throws: ``MemoryError`` if it cannot be counted.
  public static func product(
    _ sizes: Int..., for purpose: @autoclosure () -> String
  ) throws(MemoryError) -> Int {
    var product = 1
    for size in sizes {
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      guard !overflow, next >= 0 else { throw uncountable(purpose()) }
      product = next
    }
    return product
  }

  /// New memory of at least one byte, for ``free(_:)``; what it holds is not defined.
  /// - Parameter alignment: a power of two, at least 8.
  /// - Throws: ``MemoryError`` if there is none.
  public static func allocate(
    byteCount: Int, alignment: Int = 64, for purpose: @autoclosure () -> String
  ) throws(MemoryError) -> UnsafeMutableRawPointer {
    try demandPossible(byteCount, for: purpose())
    var memory: UnsafeMutableRawPointer?
    let code = posix_memalign(&memory, alignment, max(byteCount, 1))
    guard code == 0, let memory else {
      throw MemoryError(
        byteCount: byteCount, purpose: purpose(), reason: String(cString: strerror(code)))
    }
    return memory
  }

  private static let hugePageByteCount = 2 << 20

  /// New zeros on a cache line, for ``free(_:)``; large ones on huge pages where the system has them.
  /// - Throws: ``MemoryError`` if there is no memory for them.
  public static func zeros(
    byteCount: Int, for purpose: @autoclosure () -> String
  ) throws(MemoryError) -> UnsafeMutableRawPointer {
    let isLarge = byteCount >= hugePageByteCount / 2
    let memory = try allocate(
      byteCount: byteCount, alignment: isLarge ? hugePageByteCount : 64, for: purpose())
    // Advice only: walks through whole arenas then need few translations of addresses.
    if isLarge { madvise(memory, byteCount, MADV_HUGEPAGE) }
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: max(byteCount, 1))
    return memory
  }

  /// Gives back what ``allocate(byteCount:alignment:for:)`` or ``zeros(byteCount:for:)`` gave.
  public static func free(_ memory: UnsafeMutableRawPointer) { Glibc.free(memory) }

  /// Sees whether so many bytes can be had now, without keeping them: before work that allocates them
  /// by other means, such as an array.
  /// - Parameter areUsed: whether all of them will be written to; if not, only addresses are asked for.
  /// - Throws: ``MemoryError`` if not.
  public static func demand(
    _ byteCount: Int, areUsed: Bool = true, for purpose: @autoclosure () -> String
  ) throws(MemoryError) {
    if areUsed { try demandPossible(byteCount, for: purpose()) }
    guard byteCount > 0 else { return }
    // An allocator adds a little of its own.
    let (asked, overflow) = byteCount.addingReportingOverflow(1 << 16)
    guard !overflow else { throw uncountable(purpose()) }
    let memory = mmap(
      nil, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else {
      throw MemoryError(
        byteCount: byteCount, purpose: purpose(), reason: String(cString: strerror(errno)))
    }
    munmap(memory, asked)
  }

  /// Refuses what no machine of this size can give: Linux promises more than it has, and kills the
  /// process when it takes it.
  /// - Throws: ``MemoryError``.
  public static func demandPossible(
    _ byteCount: Int, for purpose: @autoclosure () -> String
  ) throws(MemoryError) {
    guard let limit = MemoryLimit.here, byteCount > limit.byteCount else { return }
    throw MemoryError(
      byteCount: byteCount, purpose: purpose(),
      reason: "\(limit.name) has \(limit.byteCount) in all")
  }

  private static func uncountable(_ purpose: String) -> MemoryError {
    MemoryError(byteCount: nil, purpose: purpose, reason: "no machine has so many")
  }
}

import Memory

/// Zeros that an exchange owns, aligned to a cache line.
final class ExchangeMemory<Element: MPIElement & Numeric> {
  let elements: UnsafeMutableBufferPointer<Element>

  /// - Throws: `MemoryError`.
  init(count: Int) throws(MemoryError) {
    // Never empty, so that there always is an address.
    let byteCount = try Memory.byteCount(
      of: max(count, 1), Element.self, for: "an exchange of \(count) numbers")
    let bytes = try Memory.allocate(
      byteCount: byteCount, for: "an exchange of \(count) numbers")
    elements = UnsafeMutableBufferPointer(
      start: bytes.initializeMemory(as: Element.self, repeating: 0, count: max(count, 1)),
      count: count)
  }

  deinit { if let bytes = UnsafeMutableRawPointer(elements.baseAddress) { Memory.free(bytes) } }
}

/// Zeros that an exchange owns, aligned to a cache line.
final class ExchangeMemory<Element: MPIElement & Numeric> {
  let elements: UnsafeMutableBufferPointer<Element>

  init(count: Int) {
    // Never empty, so that there always is an address.
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Element>.stride, alignment: 64)
    elements = UnsafeMutableBufferPointer(
      start: bytes.initializeMemory(as: Element.self, repeating: 0, count: max(count, 1)),
      count: count)
  }

  deinit { UnsafeMutableRawPointer(elements.baseAddress)?.deallocate() }
}

import Glibc

/// Memory for matrices that live as long as it does: allocated while a network is built, never during a step.
public final class Workspace {
  private static let hugePageByteCount = 2 << 20
  private var regions: [UnsafeMutableRawPointer] = []

  public init() {}

  deinit {
    for region in regions { region.deallocate() }
  }

  /// A new matrix of zeros `[rows, columns]`, aligned to a cache line.
  public func matrix(rows: Int, columns: Int) -> Matrix {
    let values: UnsafeMutableBufferPointer<Float> = zeros(count: rows * columns)
    return Matrix(elements: values.baseAddress!, rows: rows, columns: columns)
  }

  /// New zeros, aligned to a cache line (64 bytes).
  public func zeros<Number: Numeric & BitwiseCopyable>(
    of type: Number.Type = Number.self, count: Int
  ) -> UnsafeMutableBufferPointer<Number> {
    // Never empty, so that there always is an address.
    let byteCount = max(count, 1) * MemoryLayout<Number>.stride
    let isLarge = byteCount >= Self.hugePageByteCount / 2
    let region = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: isLarge ? Self.hugePageByteCount : 64)
    // Advice only: walks through whole arenas then need few translations of addresses.
    if isLarge { madvise(region, byteCount, MADV_HUGEPAGE) }
    regions.append(region)
    let start = region.initializeMemory(as: Number.self, repeating: 0, count: max(count, 1))
    return UnsafeMutableBufferPointer(start: start, count: count)
  }
}

import Memory

/// Memory for matrices that live as long as it does: allocated while a network is built, never during a step.
public final class Workspace {
  private var regions: [UnsafeMutableRawPointer] = []

  public init() {}

  deinit {
    for region in regions { Memory.free(region) }
  }

  /// A new matrix of zeros `[rows, columns]`, aligned to a cache line.
  /// - Throws: `MemoryError` if there is no memory for it.
  public func matrix(rows: Int, columns: Int) throws(MemoryError) -> Matrix {
    let count = try Memory.product(rows, columns, for: "a matrix of \(rows) x \(columns) numbers")
    let values: UnsafeMutableBufferPointer<Float> = try zeros(
      count: count, for: "a matrix of \(rows) x \(columns) numbers")
    return Matrix(elements: values.baseAddress!, rows: rows, columns: columns)
  }

  /// New zeros, aligned to a cache line (64 bytes).
  /// - Parameter purpose: what for, as an error says it; nil for their number.
  /// - Throws: `MemoryError` if there is no memory for them.
  public func zeros<Number: Numeric & BitwiseCopyable>(
    of type: Number.Type = Number.self, count: Int, for purpose: @autoclosure () -> String? = nil
  ) throws(MemoryError) -> UnsafeMutableBufferPointer<Number> {
    // Never empty, so that there always is an address.
    let byteCount = try Memory.byteCount(
      of: max(count, 1), Number.self, for: purpose() ?? "\(count) numbers")
    let region = try Memory.zeros(byteCount: byteCount, for: purpose() ?? "\(count) numbers")
    regions.append(region)
    return UnsafeMutableBufferPointer(
      start: region.bindMemory(to: Number.self, capacity: max(count, 1)), count: count)
  }
}

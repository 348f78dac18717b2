import VectorKernels

/// The loops of a step in C, in the fastest build that this processor runs.
///
/// Every build gives the same bits, so ranks on unlike processors still agree.
public enum VectorMath {
  // Constant tables of function pointers; never written.
  nonisolated(unsafe) static let builds: [UnsafePointer<VectorKernelTable>] =
    [InstructionSet.sse2, .avx2, .avx512].prefix { $0 <= Processor.instructionSet }.indices
    .compactMap(vectorKernels)
  nonisolated(unsafe) public static let kernels = builds[builds.count - 1]

  /// The build that was chosen: "baseline", "AVX2" or "AVX-512".
  public static var build: String { String(cString: kernels.pointee.name) }

  /// A number that any single changed bit changes: equal arrays have equal digests, on every machine.
  public static func digest(_ values: UnsafeBufferPointer<Float>) -> UInt64 {
    guard let base = values.baseAddress else { return 0 }
    return kernels.pointee.digest(base, values.count)
  }

  /// out = (pixel / 255 - 0.5) / 0.5: torchvision's `ToTensor` and `Normalize(0.5, 0.5)`.
  public static func pixelsToFloats(_ pixels: UnsafeBufferPointer<UInt8>, into out: Matrix) {
    precondition(pixels.count == out.count)
    guard let base = pixels.baseAddress else { return }
    kernels.pointee.pixelsToFloats(base, pixels.count, out.elements)
  }

  /// base^exponent by repeated squaring: the same bits on every machine, unlike a library's `pow`.
  public static func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }
}

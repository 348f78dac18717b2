/// In which numbers products take their factors; sums of products are float32 either way.
public enum Precision: String, Codable, CaseIterable, Sendable {
  case float32
  /// The upper half of a float32: its range, with 8 bits of significand instead of 24.
  case bfloat16

  /// What a processor must have, as ``XSMM/instructionSet`` names it; nil for nothing in particular.
  ///
  /// libxsmm multiplies bfloat16 numbers without it, too, but slower than float32 ones.
  public var neededInstructionSet: String? {
    switch self {
    case .float32: nil
    case .bfloat16: "AVX-512 BF16"
    }
  }

  var byteCount: Int { self == .float32 ? 4 : 2 }
}

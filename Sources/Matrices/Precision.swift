/// In which numbers products take their factors; sums of products are float32 either way.
public enum Precision: String, Codable, CaseIterable, Sendable {
  case float32
  /// The upper half of a float32: its range, with 8 bits of significand instead of 24.
  case bfloat16

  /// What a processor must have.
  ///
  /// libxsmm multiplies bfloat16 numbers with less, too, but slower than float32 ones.
  public var neededInstructionSet: InstructionSet {
    switch self {
    case .float32: .sse2
    case .bfloat16: .avx512BF16
    }
  }

  var byteCount: Int { self == .float32 ? 4 : 2 }
}

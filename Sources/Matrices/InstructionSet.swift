import VectorKernels

/// Instructions of a processor, each by itself.
public struct ProcessorFeatures: OptionSet, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private init(_ feature: Int) { rawValue = UInt32(feature) }

  public static let sse42 = Self(featureSSE42)
  public static let avx = Self(featureAVX)
  public static let avx2 = Self(featureAVX2)
  public static let fma = Self(featureFMA)
  public static let f16c = Self(featureF16C)
  public static let bmi = Self(featureBMI)
  public static let bmi2 = Self(featureBMI2)
  public static let avx512f = Self(featureAVX512F)
  public static let avx512cd = Self(featureAVX512CD)
  public static let avx512bw = Self(featureAVX512BW)
  public static let avx512dq = Self(featureAVX512DQ)
  public static let avx512vl = Self(featureAVX512VL)
  public static let avx512vnni = Self(featureAVX512VNNI)
  public static let avx512bf16 = Self(featureAVX512BF16)

  /// Those that this processor has and the operating system lets programs use.
  public static let ofThisProcessor = Self(
    rawValue: processorFeatures(readProcessorRegisters()))
}

/// What code may use: each case has all instructions of the cases before it.
public enum InstructionSet: Int, CaseIterable, Comparable, Sendable, CustomStringConvertible {
  /// What every x86-64 processor has. libxsmm makes no code for it.
  case sse2
  case sse42
  case avx
  case avx2
  case avx512
  case avx512VNNI
  case avx512BF16

  /// The largest set whose instructions are all there.
  public init(_ features: ProcessorFeatures) {
    self = .sse2
    for set in Self.allCases.dropFirst() {
      guard features.isSuperset(of: set.additions) else { return }
      self = set
    }
  }

  /// The set that a value of `LIBXSMM_TARGET` names; nil for a value that means nothing.
  ///
  /// libxsmm knows some more: numbers, and the Xeon Phi's. Values that it does not know it passes
  /// over in silence.
  public init?(target: String) {
    guard let set = Self.allCases.first(where: { $0.targets.contains(target) }) else { return nil }
    self = set
  }

  public var description: String {
    switch self {
    case .sse2: "SSE2"
    case .sse42: "SSE4.2"
    case .avx: "AVX"
    case .avx2: "AVX2"
    case .avx512: "AVX-512"
    case .avx512VNNI: "AVX-512 VNNI"
    case .avx512BF16: "AVX-512 BF16"
    }
  }

  /// Whether a product and a sum are one instruction with one rounding: then products have other
  /// last digits.
  public var fusesMultiplyAdd: Bool { self >= .avx2 }

  public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }

  /// What the set has that the set before it has not.
  private var additions: ProcessorFeatures {
    switch self {
    case .sse2: []
    case .sse42: .sse42
    case .avx: .avx
    case .avx2: [.avx2, .fma, .f16c, .bmi, .bmi2]
    case .avx512: [.avx512f, .avx512cd, .avx512bw, .avx512dq, .avx512vl]
    case .avx512VNNI: .avx512vnni
    case .avx512BF16: .avx512bf16
    }
  }

  /// Its names as values of `LIBXSMM_TARGET`; libxsmm 1.17 makes the same code for SSE3 to SSE4.2.
  private var targets: [String] {
    switch self {
    case .sse2: ["generic", "none", "x86", "x64", "sse2"]
    case .sse42:
      [
        "wsm", "nhm", "sse4_2", "sse4.2", "sse4_1", "sse4.1", "sse4", "ssse3", "ssse", "sse3",
        "sse", "0",
      ]
    case .avx: ["snb", "avx"]
    case .avx2: ["hsw", "avx2"]
    case .avx512: ["skx", "skl", "avx512", "avx3"]
    case .avx512VNNI: ["clx"]
    case .avx512BF16: ["cpx"]
    }
  }

  /// The name that libxsmm's own messages have.
  public var target: String { targets[0] }
}

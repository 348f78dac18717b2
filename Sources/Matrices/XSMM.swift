import CXSMM

/// libxsmm, which writes the machine code of a product when it is planned (Heinecke et al., SC'16).
public enum XSMM {
  /// Its version, such as "1.17".
  public static var version: String { String(cString: xsmmVersion()) }

  /// The instruction set that its products use on this processor, such as "AVX-512 BF16".
  public static var instructionSet: String {
    switch libxsmm_get_target_archid() {
    case LIBXSMM_X86_SSE3, LIBXSMM_X86_SSE4: "SSE"
    case LIBXSMM_X86_AVX: "AVX"
    case LIBXSMM_X86_AVX2: "AVX2"
    case LIBXSMM_X86_AVX512_CORE: "AVX-512"
    case LIBXSMM_X86_AVX512_CLX: "AVX-512 VNNI"
    case LIBXSMM_X86_AVX512_CPX: "AVX-512 BF16"
    default: "generic"
    }
  }
}

/// A kernel that libxsmm did not make.
public struct KernelError: Error, CustomStringConvertible {
  let kernel: String

  public var description: String {
    "libxsmm \(XSMM.version) has no kernel for \(kernel) on this processor (\(XSMM.instructionSet))"
  }
}

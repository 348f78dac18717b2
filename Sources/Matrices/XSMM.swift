import CXSMM

/// libxsmm, which writes the machine code of a product when it is planned (Heinecke et al., SC'16).
public enum XSMM {
  /// Its version, such as "1.17".
  public static var version: String { String(cString: xsmmVersion()) }

  /// Whether it has code for products on this processor; else ours does them.
  public static var multiplies: Bool { Processor.instructionSet >= .sse42 }
  /// The same of transpositions.
  static var transposes: Bool { Processor.instructionSet >= .avx }

  /// To be read before libxsmm makes code: tells it, once, for which instruction set.
  static let isPrepared: Bool = {
    xsmmPrepare(Processor.instructionSet.target)
    return true
  }()
}

/// A kernel that libxsmm did not make.
public struct KernelError: Error, CustomStringConvertible {
  let kernel: String

  public var description: String {
    """
    libxsmm \(XSMM.version) made no code for \(kernel) (\(Processor.instructionSet)): it cannot, or \
    there is no more memory for it
    """
  }
}

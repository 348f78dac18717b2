import Glibc
import TrialProcess

/// The processor that this process runs on, as far as it is used.
public enum Processor {
  /// The environment variable that sets a limit, for products and for all other loops.
  static let limitVariable = "LIBXSMM_TARGET"

  /// What the processor has and the operating system lets programs use.
  public static let supported = InstructionSet(.ofThisProcessor)

  /// What products and all other loops use: everything, or as much as `LIBXSMM_TARGET` allows.
  public static let instructionSet = used(limit: limit, supported: supported)

  /// The value of `LIBXSMM_TARGET`; nil where it is not set, or empty.
  private static var limit: String? {
    getenv(limitVariable).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Never more than the processor has, whatever the limit says.
  static func used(limit: String?, supported: InstructionSet) -> InstructionSet {
    min(limit.flatMap(InstructionSet.init(target:)) ?? supported, supported)
  }

  /// Sees that the limit means something, and is one.
  /// - Throws: ``ProcessorError``.
  static func demandSense(limit: String?, supported: InstructionSet) throws(ProcessorError) {
    guard let limit else { return }
    guard let asked = InstructionSet(target: limit) else {
      throw ProcessorError.unknownLimit(limit)
    }
    guard asked <= supported else {
      throw ProcessorError.limitTooHigh(limit, asked: asked, supported: supported)
    }
  }

  /// Checks the limit, then tries out in a child process what is to be used: some of the code
  /// that libxsmm makes, and some of ours.
  ///
  /// A fault ends the child only. It must be called before the process has threads, and before
  /// MPI starts.
  /// - Throws: ``ProcessorError``.
  public static func verify() throws(ProcessorError) {
    try demandSense(limit: limit, supported: supported)
    var ending: Int32 = 0
    guard !passesInChild({ ProductTrial.passes() }, &ending) else { return }
    throw ProcessorError.codeDoesNotRun(
      instructionSet, ending: ending == 0 ? nil : TrialEnding(waitStatus: ending))
  }
}

/// How a trial ended that did not end by itself.
public struct TrialEnding: Sendable, Equatable, CustomStringConvertible {
  let signal: Int32

  /// Nil where the process was not ended by a signal.
  init?(waitStatus: Int32) {
    signal = waitStatus & 0x7f
    if signal == 0 { return nil }
  }

  public var description: String {
    switch signal {
    case SIGILL: "illegal instruction"
    case SIGSEGV: "segmentation fault"
    case SIGSYS: "forbidden system call"
    case SIGALRM: "no end"
    default: "signal \(signal)"
    }
  }
}

/// Code that this processor cannot run, or may not.
public enum ProcessorError: Error, Equatable, CustomStringConvertible {
  /// `LIBXSMM_TARGET` names no instruction set.
  case unknownLimit(String)
  /// `LIBXSMM_TARGET` names more than the processor has.
  case limitTooHigh(String, asked: InstructionSet, supported: InstructionSet)
  /// What should run does not, or gives wrong numbers.
  case codeDoesNotRun(InstructionSet, ending: TrialEnding?)

  /// Whether it is the user's doing.
  public var isBadUsage: Bool {
    if case .codeDoesNotRun = self { return false }
    return true
  }

  public var description: String {
    let variable = Processor.limitVariable
    switch self {
    case .unknownLimit(let value):
      let names = InstructionSet.allCases.map(\.target).joined(separator: ", ")
      return "\(variable) is \(value.debugDescription), which names no instruction set: "
        + "take one of \(names), or do not set it"
    case .limitTooHigh(let value, let asked, let supported):
      return
        "\(variable) is \(value), which stands for \(asked), but the processor has \(supported) "
        + "only: take \(supported.target), or do not set it"
    case .codeDoesNotRun(let set, let ending):
      let how = ending.map { "ended with: \($0)" } ?? "cannot be made, or gives wrong numbers"
      let message = "machine code for \(set), made and tried at the start, \(how)"
      if set == .sse2 { return message }
      return message
        + ". Where the system lets no program write code for itself (SELinux, seccomp, systemd's "
        + "MemoryDenyWriteExecute), allow it; or set \(variable)=\(InstructionSet.sse2.target), "
        + "which needs none but is several times slower"
    }
  }
}

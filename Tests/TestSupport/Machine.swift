import Foundation
import Matrices

/// What tests need that not every machine has. A test names it in `.enabled(if:)`, and is skipped
/// by name without it.
///
/// What continuous integration has to have counts as there: without it a test fails there, and is
/// not skipped.
public enum Machine {
  private static let isContinuousIntegration = ProcessInfo.processInfo.environment["CI"] != nil

  private static func runs(_ arguments: String...) -> Bool {
    (try? Command.run(arguments, timeLimit: 30).status == 0) ?? false
  }

  // -- the processor --

  /// Whether the processor has such instructions, whatever `LIBXSMM_TARGET` allows.
  public static func has(_ instructionSet: InstructionSet) -> Bool {
    Processor.supported >= instructionSet
  }

  /// Whether bfloat16 numbers are multiplied by instructions of their own, as training demands.
  public static let multipliesBFloat16 =
    Processor.instructionSet >= Precision.bfloat16.neededInstructionSet

  // -- the system --

  /// Whether users may make a network of their own.
  public static let makesNetworks =
    isContinuousIntegration || runs("unshare", "--user", "--map-root-user", "--net", "true")

  /// Whether users may mount memory as a file system, for themselves.
  public static let mountsMemory =
    isContinuousIntegration
    || runs(
      "unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/dev/shm")

  /// Whether Tests/cluster can make its hosts.
  public static let makesHosts =
    isContinuousIntegration
    || runs(
      Repository.folder.appendingPathComponent("Tests/cluster/namespaces.sh").path, "supported")

  /// Whether programs can be run on processors that are made up.
  public static let emulatesProcessors = runs("qemu-x86_64", "--version")

  // -- the build --

  /// The folder of the release build, which launch/test makes and names.
  public static let releaseFolder = ProcessInfo.processInfo.environment["GAN_DIST_RELEASE"].map {
    URL(fileURLWithPath: $0).deletingLastPathComponent()
  }

  /// Whether there is a release build.
  public static let hasRelease = isContinuousIntegration || releaseFolder != nil
}

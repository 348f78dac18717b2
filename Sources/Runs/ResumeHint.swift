import Glibc
import KernelFiles
import SystemPackage

/// The command line that goes on with a stopped run, to be pasted into a shell as it stands.
package enum ResumeHint {
  /// - Parameters:
  ///   - folder: the run's folder as the user gave it.
  ///   - options: what a run does not remember.
  static func command(folder: String, options: [String], rankCount: Int) -> String {
    // "--out -x" would be read as an option without its value.
    let out = folder.hasPrefix("-") ? ["--out=\(folder)"] : ["--out", folder]
    return ([launcher(rankCount)] + (options + ["--resume", "latest"] + out).map(quoted))
      .joined(separator: " ")
  }

  /// Set by the scripts of launch/: how they were started, with their own options, quoted.
  package static let startCommandVariable = "GAN_DIST_START_COMMAND"

  /// All that stands before the program's options.
  private static func launcher(_ rankCount: Int) -> String {
    // In a folder whose name is no text, the scripts' way cannot be said.
    if let value = getenv(startCommandVariable), let script = String(validatingCString: value),
      !script.isEmpty
    {
      return script
    }
    let own = CommandLine.arguments
    let parent = words(ofProcess: getppid())
    let mpirun = ["mpirun", "mpiexec", "orterun", "mpirun.openmpi", "mpiexec.openmpi"]
    if parent.count > own.count, Array(parent.suffix(own.count)) == own,
      mpirun.contains(FilePath(parent[0]).lastComponent?.string ?? "")
    {
      return parent.dropLast(own.count - 1).map(quoted).joined(separator: " ")
    }
    guard rankCount > 1 else { return quoted(own[0]) }
    let isSlurms = getenv("SLURM_STEP_ID") != nil && getenv("OMPI_COMM_WORLD_SIZE") == nil
    let start = isSlurms ? ["srun", "--mpi=pmix", "-n"] : ["mpirun", "-np"]
    return (start + ["\(rankCount)", own[0]]).map(quoted).joined(separator: " ")
  }

  /// The command line of a process; empty if it cannot be read.
  private static func words(ofProcess process: pid_t) -> [String] {
    let bytes = KernelFile.bytes("/proc/\(process)/cmdline") ?? []
    return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// A word as the shell takes it back.
  static func quoted(_ word: String) -> String {
    let plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-"
    if !word.isEmpty && word.allSatisfy(plain.contains) { return word }
    if word.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) {
      // As bash writes what would move the cursor.
      return "$'" + word.utf8.map(escaped).joined() + "'"
    }
    return "'"
      + word.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: #"'\''"#) + "'"
  }

  /// A byte within `$'…'`.
  private static func escaped(_ byte: UInt8) -> String {
    let isPlain =
      (32..<127).contains(byte) && byte != UInt8(ascii: "'") && byte != UInt8(ascii: "\\")
    if isPlain { return String(UnicodeScalar(byte)) }
    let digits = String(byte, radix: 8)
    return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
  }
}

import Glibc
import MPI
import Runs
import Texts

/// The last words of a rank that cannot find the others.
enum StartReport {
  /// Open MPI needs about this long to start a rank where many share a processor, in seconds.
  private static let secondsOfRank = 1.0

  /// Watches the start of a job; nil for a process that is alone.
  /// - Parameter patience: seconds that a rank may be awaited beside the time that starting takes; 0 for any time.
  static func watch(patience: Double) -> StartWatch? {
    guard patience > 0, let rankCount = LauncherEnvironment.rankCount, rankCount > 1 else {
      return nil
    }
    let rank = LauncherEnvironment.rank
    return StartWatch(seconds: patience + Double(rankCount) * secondsOfRank) { missing, seconds in
      Console.error.say(
        "gan-dist: error (rank \(rank) on \(hostName)): "
          + text(missing: missing, rankCount: rankCount, seconds: seconds) + "\n")
      LauncherEnvironment.tell(.failed)
      return ExitStatus.tryAgain.rawValue
    }
  }

  /// What is wrong, and what to do.
  static func text(missing: Int?, rankCount: Int, seconds: Double) -> String {
    let patience = "\(seconds.fixed(0)) s"
    guard let missing else {
      return """
        not all of the \(rankCount) ranks have started MPI within \(patience): one of them hangs before that, or its \
        host cannot be reached
        """
    }
    return """
      rank \(missing) has not answered for \(patience). Unless it waits for another rank itself, its host is cut \
      off, a firewall blocks TCP ports above 1023 between the two hosts, or MPI has chosen a network that they do \
      not share. Name the one that all hosts share: export OMPI_MCA_btl_tcp_if_include=eth0 (or 10.0.0.0/8) before \
      the start
      """
  }

  /// As the kernel has it: MPI may not be there yet.
  private static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "unknown host" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

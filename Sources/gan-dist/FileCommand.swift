import Glibc
import Runs

/// Commands that work on files, in one process and without MPI.
enum FileCommand {
  /// Runs the body and ends the process with its exit status, or with that of its error, which is explained.
  static func run(_ body: () throws -> ExitStatus) -> Never {
    do {
      exit(try body().rawValue)
    } catch {
      exit(FailureReport.explain(error, nil).status)
    }
  }

  /// Writes the result of a command to standard output, and ends the process.
  static func end(delivering result: String) -> Never {
    run {
      try Console.deliver(result)
      return .done
    }
  }
}

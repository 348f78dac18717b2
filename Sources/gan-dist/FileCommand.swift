import Glibc

/// Commands that work on files, in one process and without MPI.
enum FileCommand {
  /// Runs the body and ends the process with its exit status, or with that of its error, which is explained.
  static func run(_ body: () throws -> Int32) throws -> Never {
    do {
      exit(try body())
    } catch {
      exit(FailureReport.explain(error, nil).status)
    }
  }
}

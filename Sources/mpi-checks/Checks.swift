import Collectives
import GANTraining
import Glibc
import MPI
import MPICollectives
import Matrices

/// What the tests run under mpirun: `mpi-checks CASE [argument …]`. Exit status 0 if the case holds on all ranks.
@main
enum Checks {
  static let cases: [String: @Sendable (Communicator, [String]) throws -> Void] = [
    "communicator": checkCommunicator,
    "all-gather": checkAllGather,
    "clocks": checkClocks,
    "rows": checkRows,
    "window": checkWindow,
    "train": checkTraining,
    "drift": flipOneBit,
    "throw": throwOnOneRank,
    "stall": stallRanks,
    "late": checkLateRank,
    "disorder": enterUnlikeExchanges,
    "cost": measureCost,
    "allocations": checkAllocations,
  ]

  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard let name = arguments.first, let check = cases[name] else {
      say("usage: mpi-checks \(cases.keys.sorted().joined(separator: "|")) [argument ...]")
      exit(64)
    }
    MPISession.run(
      explain: { error, communicator in
        say("mpi-checks \(name): rank \(communicator?.rank ?? -1): \(error)")
        return MPISession.Failure(status: error is StallError ? 75 : 70, isSeenByAll: false)
      },
      { try check($0, Array(arguments.dropFirst())) })
  }

  /// Ranks of one thread each. Every rank must call this.
  static func collective(
    _ communicator: Communicator, log: ExchangeLog = ExchangeLog(), mayShareMemory: Bool = true,
    networkCollectives: NetworkCollectives = .own
  ) throws -> MPICollective {
    try MPICollective(
      Hosts(communicator),
      threadsOfRank: [Int](repeating: 1, count: communicator.rankCount),
      networkCollectives: networkCollectives, log: log, mayShareMemory: mayShareMemory)
  }

  static func say(_ text: String) {
    let bytes = Array((text + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}

/// A case that does not hold.
struct CheckFailure: Error, CustomStringConvertible {
  let description: String

  static func demand(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    if !holds { throw CheckFailure(description: what()) }
  }
}

/// One rank throws while the others wait for it: the job has to end, and the others with it.
private func throwOnOneRank(_ communicator: Communicator, _ arguments: [String]) throws {
  if communicator.rank == Int(arguments.first ?? "0") {
    throw CheckFailure(description: "thrown on purpose")
  }
  try communicator.barrier()
}

import Collectives
import Glibc
import MPI
import MPICollectives

/// Exchanges as a step makes them, with a watch.
private final class WatchedStep {
  let forward, backward, update: any Exchange
  private let collective: MPICollective

  init(_ communicator: Communicator, timeout: Double) throws {
    collective = try Checks.collective(
      communicator, log: ExchangeLog(watch: try StallWatch(communicator, timeout: timeout)))
    forward = try collective.makeBarrier(name: "layer.forward")
    backward = try collective.makeBarrier(name: "layer.backward")
    update = try collective.makeBarrier(name: "update")
  }

  func run(_ step: Int, before: (String) throws -> Void) throws {
    collective.willBegin(step: step)
    try before("forward")
    try forward.run()
    try before("backward")
    try backward.run()
    try before("update")
    try update.run()
  }
}

/// `stall TIMEOUT PLACE RANK …`: in step 2 the ranks do not come to that place (forward, backward, update), and never
/// again to any.
func stallRanks(_ communicator: Communicator, _ arguments: [String]) throws {
  guard arguments.count >= 3, let timeout = Double(arguments[0]) else {
    throw CheckFailure(description: "stall needs TIMEOUT PLACE RANK")
  }
  let isMissing = arguments.dropFirst(2).contains("\(communicator.rank)")
  let step = try WatchedStep(communicator, timeout: timeout)
  for number in 0..<5 {
    try step.run(number) { place in
      while isMissing && number == 2 && place == arguments[1] { sleep(60) }
    }
  }
}

/// `late TIMEOUT SECONDS …`: in step 0 rank 0 comes late, in step 1 rank 1, and so on; nobody minds. A rank that was
/// later than the timeout finds old questions in its next wait.
func checkLateRank(_ communicator: Communicator, _ arguments: [String]) throws {
  let seconds = arguments.compactMap(Double.init)
  guard seconds.count == arguments.count, seconds.count > 1 else {
    throw CheckFailure(description: "late needs TIMEOUT SECONDS")
  }
  let step = try WatchedStep(communicator, timeout: seconds[0])
  for (number, late) in seconds.dropFirst().enumerated() {
    try step.run(number) { place in
      if place == "backward" && number == communicator.rank { usleep(UInt32(late * 1e6)) }
    }
  }
}

/// Ranks that do not make the same exchanges in the same order: nobody is missing, and yet nothing goes on.
func enterUnlikeExchanges(_ communicator: Communicator, _ arguments: [String]) throws {
  let step = try WatchedStep(communicator, timeout: 1)
  try (communicator.rank == 1 ? step.backward : step.forward).run()
}

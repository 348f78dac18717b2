import Glibc
import MPI
import MPICollectives
import NeuralNetwork

/// Exchanges as a step makes them, with a watch.
private final class WatchedStep {
  let forward, backward: any Gather
  let gradients: any Reduction
  private let collective: MPICollective

  init(_ communicator: Communicator, timeout: Double) throws {
    collective = try MPICollective(
      communicator,
      watch: try StallWatch(communicator, timeout: timeout, flightRecordFolder: nil))
    forward = try collective.makeGather(name: "layer.forward", count: 256)
    backward = try collective.makeGather(name: "layer.backward", count: 256)
    var layout = ParameterLayout()
    _ = layout.add("weight", shape: [500_000])
    gradients = try collective.makeReduction(
      name: "gradients", of: layout,
      over: BatchPartition(
        globalBatchSize: communicator.rankCount, rankCount: communicator.rankCount))
  }

  func run(_ step: Int, before: (String) throws -> Void) throws {
    collective.willBegin(step: step)
    try before("forward")
    try forward.run()
    try before("start")
    try gradients.start()
    try before("backward")
    try backward.run()
    try before("finish")
    try gradients.finish()
  }
}

/// `stall TIMEOUT PLACE RANK …`: in step 2 the ranks do not come to that place (forward, start, backward, finish), and never
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

/// `late TIMEOUT SECONDS …`: in step 0 rank 0 comes late, in step 1 rank 1, and so on; nobody minds. A rank that was later
/// than the timeout finds old questions in its next wait.
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

import FlightRecorder
import MPI
import MPICollectives
import NeuralNetwork

/// `cost ROUNDS FOLDER`: how long gathers and reductions take, in microseconds (median and mean of all rounds), one line each
/// on rank 0; watched, and recorded in the folder.
func measureCost(_ communicator: Communicator, _ arguments: [String]) throws {
  let rounds = arguments.first.flatMap { Int($0) } ?? 1000
  let recorder = try FlightRecorder(
    folder: arguments.count > 1 ? arguments[1] : ".", rank: communicator.rank,
    rankCount: communicator.rankCount, hostName: MPISession.hostName)
  let collective = RecordedCollective(
    try MPICollective(
      communicator,
      watch: try StallWatch(communicator, timeout: 120, flightRecordFolder: nil)),
    recorder: recorder)
  let clock = ContinuousClock()
  func report(_ what: String, _ rounds: Int, _ exchange: () throws -> Void) throws {
    var times: [Double] = []
    for _ in 0..<rounds {
      let start = clock.now
      try exchange()
      times.append((clock.now - start) / .microseconds(1))
    }
    times.sort()
    let mean = times.reduce(0, +) / Double(rounds)
    if communicator.rank == 0 { print("\(what) \(times[rounds / 2]) us, mean \(mean) us") }
  }
  let name = recorder.register(name: "recording")
  try report("1000 operations recorded", rounds) {
    for _ in 0..<1000 {
      recorder.enter(name: name, kind: .gather, byteCount: 8)
      recorder.leave()
    }
  }
  for count in [256, 512, 1024, 2048] {
    let gather = try collective.makeGather(name: "gather of \(count)", count: count)
    try report("gather of \(count)", rounds) { try gather.run() }
  }
  for count in [533_520, 576_928] {
    var layout = ParameterLayout()
    _ = layout.add("weight", shape: [count])
    let reduction = try collective.makeReduction(
      name: "reduction of \(count)", of: layout,
      over: BatchPartition(
        globalBatchSize: communicator.rankCount, rankCount: communicator.rankCount))
    try report("reduction of \(count)", rounds / 5) {
      try reduction.start()
      try reduction.finish()
    }
  }
}

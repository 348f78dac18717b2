import Collectives
import FlightRecorder
import MPI
import MPICollectives

/// `cost ROUNDS FOLDER`: how long barriers and exchanges of rows take, in microseconds (median and mean of all rounds),
/// one line each on rank 0; watched, and recorded in the folder. With "own-hosts" each rank is a host of its own.
func measureCost(_ communicator: Communicator, _ arguments: [String]) throws {
  let rounds = arguments.first.flatMap { Int($0) } ?? 1000
  let recorder = try FlightRecorder(
    folder: arguments.count > 1 ? arguments[1] : ".", rank: communicator.rank,
    rankCount: communicator.rankCount, hostName: MPISession.hostName)
  let collective = try Checks.collective(
    communicator,
    log: ExchangeLog(watch: try StallWatch(communicator, timeout: 120), recorder: recorder),
    mayShareMemory: !arguments.contains("own-hosts"))
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
      recorder.enter(name: name, byteCount: 8)
      recorder.leave()
    }
  }
  let barrier = try collective.makeBarrier(name: "barrier")
  try report("barrier", rounds) { try barrier.run() }
  // Something that may be under way: else nobody looks.
  let idle = try collective.makeMovement(ofRows: [
    TravellingRows(
      address: try collective.makeMemory(byteCount: 8, for: "a measurement"), bytesOfRow: 8,
      rowsOfPlaces: collective.topology.order.indices.map { 0..<($0 == 0 ? 1 : 0) },
      rowsForHosts: collective.topology.ranksOfHosts.map { _ in 0..<1 })
  ])
  let idleExchange = try collective.makeExchange(name: "idle", finishing: [idle], inside: [])
  try idle.start()
  try idleExchange.run()
  try report("1000 looks", rounds) {
    for _ in 0..<1000 { try collective.traffic.look() }
  }
  for kilobytes in [1, 16, 256, 1024] {
    let rowCount = 64
    let bytesOfRow = kilobytes * 1024 / rowCount
    let memory = try collective.makeMemory(byteCount: kilobytes * 1024, for: "a measurement")
    let placement = BatchPlacement(globalBatchSize: rowCount, topology: collective.topology)
    let rows = try collective.makeMovement(ofRows: [
      TravellingRows(
        address: memory, bytesOfRow: bytesOfRow, rowsOfPlaces: placement.rowsOfPlaces,
        rowsForHosts: placement.rowsOfHosts.map { _ in 0..<rowCount })
    ])
    let exchange = try collective.makeExchange(
      name: "\(kilobytes) KB", finishing: [rows], inside: [])
    try report("rows of \(kilobytes) KB in all", rounds / 5) {
      try rows.start()
      try exchange.run()
    }
  }
}

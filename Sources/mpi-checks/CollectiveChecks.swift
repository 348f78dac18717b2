import Collectives
import Glibc
import MPI
import MPICollectives
import Timelines

func checkCommunicator(_ communicator: Communicator, _ arguments: [String]) throws {
  let (rank, count) = (communicator.rank, communicator.rankCount)
  try communicator.barrier()
  try CheckFailure.demand(
    try communicator.allGather(rank * 10) == (0..<count).map { $0 * 10 }, "allGather of numbers")
  // Texts of unlike lengths, one of them empty.
  let text = String(repeating: "가", count: rank)
  try CheckFailure.demand(
    try communicator.allGather(text)
      == (0..<count).map { String(repeating: "가", count: $0) }, "allGather of texts")
  for root in 0..<count {
    try CheckFailure.demand(
      try communicator.broadcast(rank + 5, from: root) == root + 5, "broadcast from \(root)")
    let text = try communicator.broadcast(String(repeating: "가", count: rank), from: root)
    try CheckFailure.demand(
      text == String(repeating: "가", count: root), "broadcast of a text from \(root)")
  }
  var bytes = [UInt8](repeating: UInt8(rank), count: 100_003)
  try bytes.withUnsafeMutableBufferPointer { try communicator.broadcast($0, from: count - 1) }
  try CheckFailure.demand(bytes.allSatisfy { $0 == UInt8(count - 1) }, "broadcast of bytes")
  // As many numbers as the rank's number, on the last rank.
  try CheckFailure.demand(
    try communicator.gather([Int](repeating: rank, count: rank), at: count - 1)
      == (rank == count - 1 ? (0..<count).map { [Int](repeating: $0, count: $0) } : []),
    "gather of unequal parts")
  // Every other rank, in order.
  let evenRanks = try communicator.split(isMember: rank.isMultiple(of: 2))
  try CheckFailure.demand((evenRanks == nil) == (rank % 2 == 1), "split: who is a member")
  try CheckFailure.demand(
    try evenRanks?.allGather(rank) ?? []
      == (rank % 2 == 1 ? [] : Array(stride(from: 0, to: count, by: 2))),
    "split: order of the members")
}

/// Ranks of a host share a clock, so it must be found where it is; and clocks that are set wrong, too.
func checkClocks(_ communicator: Communicator, _ arguments: [String]) throws {
  for error in [0, 1_000_000_000] {
    let offsets = try communicator.clockOffsets { Timeline.now() + error * communicator.rank }
    try CheckFailure.demand(
      offsets.count == (communicator.rank == 0 ? communicator.rankCount : 0), "who knows offsets")
    for (rank, found) in offsets.enumerated() {
      try CheckFailure.demand(
        abs(found.offset + error * rank) <= found.uncertainty && found.uncertainty < 100_000_000,
        "rank \(rank)'s clock, \(error * rank) ns fast: \(found)")
    }
  }
  try CheckFailure.demand(
    try HostClocks(Hosts(communicator)).offsets().allSatisfy { $0 == .none }, "clocks of one host")
}

func checkAllGather(_ communicator: Communicator, _ arguments: [String]) throws {
  for (mayShareMemory, collectives) in [
    (true, .own), (false, .own), (true, .mpi), (false, .mpi),
  ] as [(Bool, NetworkCollectives)] {
    let collective = try Checks.collective(
      communicator, mayShareMemory: mayShareMemory, networkCollectives: collectives)
    let between = try collective.makeBarrier(name: "between")
    for count in [1, 7, 1024] {
      let gather = try AllGather(name: "check", count: count, over: collective)
      let others = try AllGather(name: "others", count: 1, over: collective)
      for round in 0..<20 {
        for index in 0..<count {
          gather.contribution[index] = Double(1000 * round + 10 * communicator.rank + index)
        }
        try gather.run()
        for rank in 0..<communicator.rankCount {
          for (index, number) in gather.ofRank(rank).enumerated() {
            try CheckFailure.demand(
              number == Double(1000 * round + 10 * rank + index),
              "all-gather of \(count), round \(round): element \(index) of rank \(rank)")
          }
        }
        // Nobody writes the next before all have read.
        try between.run()
        try others.run()
      }
    }
  }
}

/// Rows of several matrices, written by whoever has them: after the exchange all ranks have all, whether they share
/// memory or each is a host of its own. Ranks come at unlike times.
func checkRows(_ communicator: Communicator, _ arguments: [String]) throws {
  for mayShareMemory in [true, false] {
    let collective = try Checks.collective(communicator, mayShareMemory: mayShareMemory)
    for rowCount in [1, 8, 100] {
      let placement = BatchPlacement(globalBatchSize: rowCount, topology: collective.topology)
      let matrices = try [1, 3, 300].map { columns in
        (
          columns: columns,
          numbers: try collective.makeNumbers(
            of: Int.self, count: rowCount * columns, for: "a check")
        )
      }
      try CheckFailure.demand(
        matrices.allSatisfy { $0.numbers.allSatisfy { $0 == 0 } }, "memory that is not zero")
      let rows = try collective.makeMovement(
        ofRows: matrices.map {
          TravellingRows(
            address: UnsafeMutableRawPointer($0.numbers.baseAddress!),
            bytesOfRow: $0.columns * MemoryLayout<Int>.stride,
            rowsOfPlaces: placement.rowsOfPlaces,
            rowsForHosts: placement.rowsOfHosts.map { _ in 0..<rowCount })
        })
      let written = try collective.makeExchange(name: "written", finishing: [rows], inside: [])
      let isRead = try AllGather(name: "read", count: 1, over: collective)
      // Nobody writes before all have looked.
      try isRead.run()
      for round in 0..<10 {
        usleep(UInt32(1000 * ((round + communicator.rank) % 3)))
        func value(_ row: Int, _ column: Int) -> Int { round * 1_000_000 + row * 1000 + column }
        for matrix in matrices {
          for row in placement.rowsOfThreads.joined() {
            for column in 0..<matrix.columns {
              matrix.numbers[row * matrix.columns + column] = value(row, column)
            }
          }
        }
        try rows.start()
        let isUnanimous = try written.run(vote: round % 2 == 0 || communicator.rank > 0)
        try CheckFailure.demand(
          isUnanimous == (round % 2 == 0 || collective.topology.host > 0), "votes, round \(round)")
        for matrix in matrices {
          for (place, number) in matrix.numbers.enumerated() {
            try CheckFailure.demand(
              number == value(place / matrix.columns, place % matrix.columns),
              "\(rowCount) rows of \(matrix.columns), round \(round): number \(place) is \(number)")
          }
        }
        try isRead.run()
      }
    }
  }
}

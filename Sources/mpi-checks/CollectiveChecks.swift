import MPI
import MPICollectives
import NeuralNetwork

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
  // Every other rank, in order.
  let evenRanks = try communicator.split(isMember: rank.isMultiple(of: 2))
  try CheckFailure.demand((evenRanks == nil) == (rank % 2 == 1), "split: who is a member")
  try CheckFailure.demand(
    try evenRanks?.allGather(rank) ?? []
      == (rank % 2 == 1 ? [] : Array(stride(from: 0, to: count, by: 2))),
    "split: order of the members")
}

func checkGather(_ communicator: Communicator, _ arguments: [String]) throws {
  let collective = MPICollective(communicator)
  for count in [0, 1, 7, 1024] {
    let gather = try collective.makeGather(name: "check", count: count)
    for round in 0..<3 {
      for index in 0..<count {
        gather.contribution[index] = Double(1000 * round + 10 * communicator.rank + index)
      }
      try gather.run()
      for rank in 0..<communicator.rankCount {
        for index in 0..<count {
          try CheckFailure.demand(
            gather.contributions[rank * count + index] == Double(1000 * round + 10 * rank + index),
            "gather of \(count), round \(round): element \(index) of rank \(rank)")
        }
      }
    }
  }
}

/// Sums of sizes around a cache line, smaller than the number of ranks, and large; used several times.
func checkReduction(_ communicator: Communicator, _ arguments: [String]) throws {
  let collective = MPICollective(communicator)
  let (rank, rankCount) = (communicator.rank, communicator.rankCount)
  // Unlike sizes of numbers, so that another order of adding gives other bits.
  func value(_ rank: Int, _ index: Int, _ round: Int) -> Float {
    Float(index % 97 + 1) * (rank.isMultiple(of: 2) ? 1e-3 : 1e4) / Float(rank + round + 3)
  }
  for count in [1, 2, 15, 16, 17, 1000, 600_000] {
    let arena = ParameterArena(ParameterLayout(), riderCount: count)
    let values = arena.everything
    let reduction = try collective.makeReduction(name: "check", of: arena)
    for round in 0..<2 {
      for index in 0..<count { values[index] = value(rank, index, round) }
      try reduction.start()
      try reduction.finish()
      for index in 0..<count {
        let inRankOrder = (0..<rankCount).reduce(Float(0)) { $0 + value($1, index, round) }
        let expected = rankCount == 1 ? value(0, index, round) : inRankOrder
        try CheckFailure.demand(
          values[index] == expected,
          "reduction of \(count), round \(round): element \(index) is \(values[index]), not \(expected)"
        )
      }
    }
  }
}

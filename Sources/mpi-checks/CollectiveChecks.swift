import MPI
import MPICollectives
import Matrices
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
    try HostClocks(communicator).offsets().allSatisfy { $0 == .none }, "clocks of one host")
}

func checkGather(_ communicator: Communicator, _ arguments: [String]) throws {
  for mayShareMemory in [true, false] {
    let collective = try MPICollective(communicator, mayShareMemory: mayShareMemory)
    for count in [0, 1, 7, 1024] {
      let gather = try collective.makeGather(name: "check", count: count)
      // Rounds follow each other at once: no rank may see a number of the next.
      for round in 0..<20 {
        let contribution = gather.contribution
        for index in 0..<count {
          contribution[index] = Double(1000 * round + 10 * communicator.rank + index)
        }
        try gather.run()
        let contributions = gather.contributions
        for rank in 0..<communicator.rankCount {
          for index in 0..<count {
            try CheckFailure.demand(
              contributions[rank * count + index] == Double(1000 * round + 10 * rank + index),
              "gather of \(count), round \(round): element \(index) of rank \(rank)")
          }
        }
      }
    }
  }
}

/// Sums of sizes around a cache line, smaller than the number of ranks, and large; over trees with fewer leaves than
/// ranks, as many, and more; used several times.
func checkReduction(_ communicator: Communicator, _ arguments: [String]) throws {
  for mayShareMemory in [true, false] {
    let collective = try MPICollective(communicator, mayShareMemory: mayShareMemory)
    for shardCount in [1, 2, 3, 4, 7, 8] {
      for count in [1, 17, 1000] {
        try checkSum(of: count, shardCount: shardCount, collective)
      }
    }
    try checkSum(of: 600_000, shardCount: communicator.rankCount, collective)
  }
}

private func checkSum(of count: Int, shardCount: Int, _ collective: MPICollective) throws {
  // Unlike sizes of numbers, so that another order of adding gives other bits.
  func value(_ shard: Int, _ index: Int, _ round: Int) -> Float {
    Float(index % 97 + 1) * (shard.isMultiple(of: 2) ? 1e-3 : 1e4) / Float(shard + round + 3)
  }
  /// The sum over a node of the tree, by the tree's definition.
  func sum(_ node: Range<Int>, _ index: Int, _ round: Int) -> Float {
    if node.count == 1 { return value(node.lowerBound, index, round) }
    var left = 1
    while 2 * left < node.count { left *= 2 }
    let middle = node.lowerBound + left
    return sum(node.lowerBound..<middle, index, round)
      + sum(middle..<node.upperBound, index, round)
  }
  var layout = ParameterLayout()
  let entry = layout.add("weight", shape: [count])
  let partition = BatchPartition(
    globalBatchSize: shardCount, rankCount: collective.rankCount, shards: .ofSize(1))
  let reduction = try collective.makeReduction(name: "check", of: layout, over: partition)
  let allHaveLooked = try collective.makeGather(name: "check", count: 0)
  let nodes = partition.nodesOfRank[collective.rank]
  for round in 0..<3 {
    for (node, part) in zip(nodes, reduction.parts) {
      let values = part.tensor(entry)
      for index in 0..<count { values[index] = sum(node, index, round) }
    }
    try reduction.start()
    try reduction.finish()
    let values = reduction.sum.tensor(entry)
    for index in 0..<count {
      let expected = sum(0..<shardCount, index, round)
      try CheckFailure.demand(
        values[index] == expected,
        "sum of \(shardCount) shards of \(count), round \(round): element \(index) is"
          + " \(values[index]), not \(expected)")
    }
    try allHaveLooked.run()
  }
}

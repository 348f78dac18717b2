import MPI

/// Segments of unlike sizes, one of them empty: aligned, zero at first, and the same for every rank of the host. More
/// than there can be is refused on all ranks.
func checkWindow(_ communicator: Communicator, _ arguments: [String]) throws {
  let host = try communicator.splitByHost()
  try CheckFailure.demand(
    host.rank == communicator.rank && host.rankCount == communicator.rankCount,
    "the ranks of one host are \(host.rankCount) of \(communicator.rankCount)")
  func size(_ rank: Int) -> Int { [100_003, 0, 1, 4096][(rank + host.rankCount) % 4] }
  func value(_ writer: Int, _ owner: Int, _ index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: 1 + 37 * writer + 11 * owner + index)
  }
  try demandRefusal(byteCount: 1 << 50, over: host)
  let window = try SharedWindow(byteCount: size(host.rank), over: host)
  // The second is there beside the first.
  let other = try SharedWindow(byteCount: size(host.rank + 1), over: host)
  for rank in 0..<host.rankCount {
    let segment = window.segment(ofRank: rank)
    try CheckFailure.demand(segment.count == size(rank), "size of rank \(rank)'s segment")
    try CheckFailure.demand(
      Int(bitPattern: segment.baseAddress) % 64 == 0, "alignment of rank \(rank)'s segment")
    try CheckFailure.demand(segment.allSatisfy { $0 == 0 }, "zeros in rank \(rank)'s segment")
  }
  for writer in 0..<host.rankCount {
    try window.synchronize()
    if host.rank == writer {
      for owner in 0..<host.rankCount {
        let segment = window.segment(ofRank: owner)
        for index in segment.indices { segment[index] = value(writer, owner, index) }
      }
    }
    try window.synchronize()
    for owner in 0..<host.rankCount {
      let segment = window.segment(ofRank: owner)
      try CheckFailure.demand(
        segment.indices.allSatisfy { segment[$0] == value(writer, owner, $0) },
        "what rank \(writer) wrote into rank \(owner)'s segment")
    }
  }
  try CheckFailure.demand(
    other.segment(ofRank: host.rank).allSatisfy { $0 == 0 }, "two windows lie in one place")
}

private func demandRefusal(byteCount: Int, over host: Communicator) throws {
  // Only one rank asks for too much, and the last, not the one that makes the file.
  let own = host.rank == host.rankCount - 1 ? byteCount : 64
  var isRefused = 0
  do {
    _ = try SharedWindow(byteCount: own, over: host)
  } catch let error as SharedMemoryError {
    isRefused = error.neededByteCount >= byteCount ? 1 : 0
  }
  let refusals = try host.allGather(isRefused)
  try CheckFailure.demand(
    refusals.allSatisfy { $0 == 1 }, "\(byteCount) bytes refused: \(refusals) (1 is refused)")
}

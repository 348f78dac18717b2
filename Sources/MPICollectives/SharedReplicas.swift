import MPI
import NeuralNetwork

/// What is the same on all ranks, once a host: its ranks share the memory and the work of updating it.
final class SharedReplicas: Replicas {
  private let host: Communicator
  private let hostCount: Int
  private let window: SharedWindow
  private let written: HostMeeting
  private let awaited: AwaitedExchange
  /// What is left of the leader's segment.
  private var rest: Slice<UnsafeMutableRawBufferPointer>

  private static let alignment = 64

  /// Bytes that a rank gives to the window.
  static func byteCount(_ byteCount: Int, teams: HostTeams) -> Int {
    HostMeeting.byteCount + (teams.isLeader ? byteCount : 0)
  }

  init(in window: SharedWindow, teams: HostTeams, _ awaited: AwaitedExchange) {
    self.window = window
    self.awaited = awaited
    host = teams.host
    hostCount = teams.hostCount
    written = HostMeeting(in: window, at: 0, rank: host.rank, expected: 0..<host.rankCount)
    rest = window.segment(ofRank: 0)[HostMeeting.byteCount...]
  }

  func take<Number: Numeric & BitwiseCopyable>(
    _ type: Number.Type, count: Int
  ) -> UnsafeMutableBufferPointer<Number> {
    let byteCount = count * MemoryLayout<Number>.stride
    let padded = (byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
    precondition(padded <= rest.count, "replicas that were not asked for")
    let memory = UnsafeMutableRawBufferPointer(rebasing: rest.prefix(byteCount))
    rest = rest.dropFirst(padded)
    return memory.bindMemory(to: type)
  }

  func share(of count: Int) -> Range<Int> {
    Partition.lines(of: count, rankCount: host.rankCount, rank: host.rank)
  }

  var leads: Bool { host.rank == 0 }

  func meet(_ verdict: Bool) throws -> Bool {
    awaited.enter(.gather)
    written.come(verdict)
    try awaited.wait(for: written)
    // Of other hosts this tells nothing.
    if hostCount == 1 { awaited.allHaveEntered(.gather) } else { awaited.leave() }
    return written.allAgree
  }
}

import MPI
import NeuralNetwork

/// An all-gather through memory that the ranks of a host share; between hosts the leaders exchange messages.
///
/// There are two copies of everything, used in turn: a rank may write the next contribution while others still read
/// what all gave last. It cannot be two ahead, because each time all have to come.
final class SharedGather: Gather {
  private let teams: HostTeams
  private let awaited: AwaitedExchange
  private let count: Int
  /// Which of the two copies the next contribution goes to.
  private var copy = 0
  /// Both copies of `[ranks, count]`.
  private let copies: [UnsafeMutableBufferPointer<Double>]
  private let arrival: HostMeeting
  /// Where the other ranks of a host wait for the leader, if there are several hosts.
  private let delivery: HostMeeting
  /// What leaders exchange, for each copy.
  private let messages: [PlannedExchange]
  private let window: SharedWindow

  /// Bytes that a rank gives to the window.
  static func byteCount(count: Int, teams: HostTeams) -> Int {
    let flags = 2 * HostMeeting.byteCount
    return teams.isLeader
      ? flags + 2 * teams.world.rankCount * count * MemoryLayout<Double>.stride : flags
  }

  init(
    count: Int, in window: SharedWindow, tag: Int, teams: HostTeams, _ awaited: AwaitedExchange
  ) throws {
    self.teams = teams
    self.awaited = awaited
    self.count = count
    self.window = window
    let (rankCount, host) = (teams.world.rankCount, teams.host)
    arrival = HostMeeting(in: window, at: 0, rank: host.rank, expected: 0..<host.rankCount)
    delivery = HostMeeting(
      in: window, at: HostMeeting.byteCount, rank: host.rank, expected: 0..<1)
    let numbers = UnsafeMutableRawBufferPointer(
      rebasing: window.segment(ofRank: 0)[(2 * HostMeeting.byteCount)...]
    ).bindMemory(to: Double.self)
    let copies = (0..<2).map { copy in
      UnsafeMutableBufferPointer(
        rebasing: numbers[copy * rankCount * count..<(copy + 1) * rankCount * count])
    }
    self.copies = copies
    messages =
      try teams.leaders.map { leaders in
        try copies.map { copy in
          // A leader's messages to another: one for each of its host's ranks.
          func parcel(_ rank: Int, _ index: Int, to leader: Int) -> Parcel<Double> {
            Parcel(
              rank: leader,
              elements: UnsafeMutableBufferPointer(
                rebasing: copy[rank * count..<(rank + 1) * count]),
              tag: index)
          }
          return try PlannedExchange(
            sending: leaders.otherRanks.flatMap { leader in
              teams.ranksOfHosts[teams.ownHost].enumerated().map {
                parcel($1, $0, to: leader)
              }
            },
            receiving: leaders.otherRanks.flatMap { leader in
              teams.ranksOfHosts[leader].enumerated().map { parcel($1, $0, to: leader) }
            }, tag: tag, owner: window, over: leaders)
        }
      } ?? []
  }

  var contribution: UnsafeMutableBufferPointer<Double> {
    let rank = teams.world.rank
    return UnsafeMutableBufferPointer(rebasing: copies[copy][rank * count..<(rank + 1) * count])
  }

  var contributions: UnsafeMutableBufferPointer<Double> { copies[1 - copy] }

  func run() throws {
    awaited.enter(.gather)
    arrival.come()
    if teams.hostCount == 1 {
      try awaited.wait(for: arrival)
    } else if teams.isLeader {
      try awaited.wait(for: arrival)
      try messages[copy].start()
      try awaited.wait(for: messages[copy])
      delivery.come()
    } else {
      delivery.come()
      try awaited.wait(for: delivery)
    }
    awaited.allHaveEntered(.gather)
    copy = 1 - copy
  }
}

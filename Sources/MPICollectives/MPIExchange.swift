import Collectives
import Waiting

/// A barrier of a host's ranks. Before it this rank finishes what it has begun; inside, the leaders of all hosts tell
/// each other what their ranks have written.
final class MPIExchange: Exchange {
  private let log: ExchangeLog
  private let entry: ExchangeLog.Entry
  private let finished: [MovementToFinish]
  private let arrival: AttentiveBarrier
  private let departure: AttentiveBarrier?
  /// On leaders.
  private let inside: [MovementToFinish]
  private let isLeader: Bool
  /// Whether this rank has nobody to wait for.
  private let isAlone: Bool
  /// Whether who is through knows that all ranks have come.
  private let isOfAllRanks: Bool

  /// - Parameters:
  ///   - departure: where the other ranks of a host wait for their leader, if anything is inside.
  ///   - inside: what the leader begins; nothing on other ranks.
  init(
    _ log: ExchangeLog, _ entry: ExchangeLog.Entry, traffic: Traffic, finished: [Movement],
    arrival: HostBarrier, departure: HostBarrier?, inside: [Movement], isAlone: Bool,
    isOfAllRanks: Bool
  ) {
    (self.log, self.entry, self.isAlone) = (log, entry, isAlone)
    self.finished = finished.map { MovementToFinish($0, traffic) }
    self.inside = inside.map { MovementToFinish($0, traffic) }
    self.arrival = AttentiveBarrier(arrival, traffic)
    self.departure = departure.map { AttentiveBarrier($0, traffic) }
    isLeader = !inside.isEmpty
    self.isOfAllRanks = isOfAllRanks
  }

  func run(vote: Bool) throws -> Bool {
    let begun = log.enter(entry)
    for movement in finished where !movement.movement.isFinished {
      try log.wait(entry, for: movement)
    }
    arrival.barrier.arrive(vote: vote)
    if let departure {
      if isLeader {
        if !isAlone { try log.wait(entry, for: arrival) }
        for movement in inside { try movement.movement.start() }
        for movement in inside where !movement.movement.isFinished {
          try log.wait(entry, for: movement)
        }
        departure.barrier.arrive()
      } else {
        departure.barrier.arrive()
        try log.wait(entry, for: departure)
      }
    } else if !isAlone {
      try log.wait(entry, for: arrival)
    }
    let isUnanimous = arrival.barrier.isUnanimous
    log.leave(entry, begun: begun, allHaveEntered: isOfAllRanks)
    return isUnanimous
  }
}

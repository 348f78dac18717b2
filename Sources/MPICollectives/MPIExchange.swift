import Collectives
import MPI
import Waiting

/// A barrier of a host's ranks. Where rows travel, the leaders of all hosts exchange them between the arrival of their
/// host's ranks and their departure.
final class MPIExchange: Exchange {
  private let log: ExchangeLog
  private let entry: ExchangeLog.Entry
  private let arrival: HostBarrier
  /// Where the other ranks of a host wait for their leader, if rows travel.
  private let departure: HostBarrier?
  /// On leaders, if rows travel.
  private let messages: PlannedExchange?
  /// Whether this rank has nobody to wait for.
  private let isAlone: Bool
  /// Whether who is through knows that all ranks have come.
  private let isOfAllRanks: Bool

  init(
    _ log: ExchangeLog, _ entry: ExchangeLog.Entry, arrival: HostBarrier,
    departure: HostBarrier?, messages: PlannedExchange?, isAlone: Bool, isOfAllRanks: Bool
  ) {
    (self.log, self.entry, self.isAlone) = (log, entry, isAlone)
    (self.arrival, self.departure, self.messages) = (arrival, departure, messages)
    self.isOfAllRanks = isOfAllRanks
  }

  func run(vote: Bool) throws -> Bool {
    let begun = log.enter(entry)
    arrival.arrive(vote: vote)
    if let departure {
      if let messages {
        try log.wait(entry, for: arrival)
        try messages.start()
        try log.wait(entry, for: messages)
        departure.arrive()
      } else {
        departure.arrive()
        try log.wait(entry, for: departure)
      }
    } else if !isAlone {
      try log.wait(entry, for: arrival)
    }
    let isUnanimous = arrival.isUnanimous
    log.leave(entry, begun: begun, allHaveEntered: isOfAllRanks)
    return isUnanimous
  }
}

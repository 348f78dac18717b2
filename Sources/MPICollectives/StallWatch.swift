import MPI
import Waiting

/// Notices that an exchange hangs, and finds out whom the ranks wait for.
///
/// A rank that waits too long asks all others, beside the exchange. Ranks that wait answer; those that do not answer
/// are missing: stopped, hung in a computation, or on a host that is cut off. Messages tell who is where: an exchange
/// that is complete on one rank has been entered by all.
///
/// Only exchanges of a collective are watched, not MPI's own collectives before and after training.
public final class StallWatch {
  /// Global training step, from 0.
  var step = 0
  private let communicator: Communicator
  private let mailbox: Mailbox
  /// In nanoseconds, as all times here.
  private let timeout: Int
  private let hostOfRank: [String]
  /// Where ranks keep flight records, to be read if one is missing.
  public var flightRecordFolder: String?
  private var names: [String] = []
  private var current = Operation()
  private var enteredByAll = Operation()
  private var inquiryCount = 0

  private static let answerTime = 5_000_000_000

  /// Every rank must call this.
  /// - Parameters:
  ///   - timeout: seconds that an exchange may take, more than 0.
  ///   - flightRecordFolder: where ranks keep flight records; it may be named later.
  /// - Throws: `MPIError`.
  public init(
    _ communicator: Communicator, timeout: Double, flightRecordFolder: String? = nil
  ) throws {
    precondition(timeout > 0, "a watch without patience")
    self.communicator = communicator
    self.flightRecordFolder = flightRecordFolder
    self.timeout = Int(min(timeout, 1e9) * 1e9)
    mailbox = try Mailbox(communicator)
    hostOfRank = try communicator.allGather(MPISession.hostName)
  }

  // MARK: What this rank does

  func register(_ name: String) -> Int {
    names.append(name)
    return names.count - 1
  }

  func enter(_ exchange: Int) {
    current = Operation(number: current.number + 1, exchange: exchange, step: step)
  }

  /// All ranks have entered what this one entered last.
  func allHaveEntered() { enteredByAll = current }

  /// Waits until something is over.
  /// - Throws: `MPIError`; ``StallError`` if ranks are missing, and this one is to say so.
  func wait(for event: some Awaitable) throws {
    let start = Spinning.monotonicTime()
    var inquiry = Inquiry(
      waitingSince: start, begin: start + timeout,
      verdict: StallVerdict(
        rank: communicator.rank, rankCount: communicator.rankCount, timeout: timeout))
    try event.wait { try poll(&inquiry, now: Spinning.monotonicTime()) }
  }
}

/// Questions and answers.
extension StallWatch {
  /// What a rank that waits tells.
  struct Position: Equatable {
    var waitsIn: Operation
    var enteredByAll: Operation
    /// For how long it has waited, in nanoseconds.
    var waited: Int
  }

  /// The state of one wait.
  private struct Inquiry {
    let waitingSince: Int
    /// When to ask next.
    var begin: Int
    /// Identifies the question that is open, if one is.
    var question: Int?
    var end = 0
    var answers: [Int: Position] = [:]
    /// From when on another rank's question makes this one ask, too.
    var mayJoinFrom = 0
    var verdict: StallVerdict

    init(waitingSince: Int, begin: Int, verdict: StallVerdict) {
      (self.waitingSince, self.begin, self.verdict) = (waitingSince, begin, verdict)
    }
  }

  private enum Message: Int {
    case question = 1
    case answer
  }

  private func poll(_ inquiry: inout Inquiry, now: Int) throws {
    while let message = try mailbox.receive() {
      let numbers = message.numbers
      switch Message(rawValue: numbers[0]) {
      case .question:
        try answer(message.rank, question: numbers[1], waited: now - inquiry.waitingSince)
        // Whoever is asked asks, too: then all that wait come to an end at about the same time. An old question,
        // about an operation that is over, is no reason.
        if numbers[2] >= current.number && now >= inquiry.mayJoinFrom {
          inquiry.begin = min(inquiry.begin, now)
        }
      case .answer where numbers[1] == inquiry.question:
        inquiry.answers[message.rank] = Position(numbers: numbers)
      default: break  // An answer that came too late.
      }
    }
    if inquiry.question == nil && now >= inquiry.begin {
      try ask(&inquiry, now: now)
    } else if inquiry.question != nil
      && (now >= inquiry.end || inquiry.answers.count == communicator.rankCount - 1)
    {
      try conclude(&inquiry, now: now)
    }
  }

  private func ask(_ inquiry: inout Inquiry, now: Int) throws {
    inquiryCount += 1
    inquiry.question = inquiryCount
    inquiry.end = now + Self.answerTime
    // Not at once again, or questions would answer questions for ever.
    inquiry.mayJoinFrom = now + 2 * Self.answerTime
    inquiry.answers = [:]
    for rank in communicator.otherRanks {
      try mailbox.send([Message.question.rawValue, inquiryCount, current.number], to: rank)
    }
  }

  private func answer(_ rank: Int, question: Int, waited: Int) throws {
    let position = Position(waitsIn: current, enteredByAll: enteredByAll, waited: waited)
    try mailbox.send([Message.answer.rawValue, question] + position.numbers, to: rank)
  }

  private func conclude(_ inquiry: inout Inquiry, now: Int) throws {
    inquiry.question = nil
    var positions = inquiry.answers
    positions[communicator.rank] = Position(
      waitsIn: current, enteredByAll: enteredByAll, waited: now - inquiry.waitingSince)
    switch inquiry.verdict.conclude(positions.mapValues(\.waitsIn), now: now) {
    case .speak: throw stall(positions)
    case .askAgain(let time): inquiry.begin = time
    }
  }

  private func stall(_ positions: [Int: Position]) -> StallError {
    StallError(
      positions: positions, hostOfRank: hostOfRank, names: names,
      records: MissingRankRecords(folder: flightRecordFolder, hostOfRank: hostOfRank))
  }
}

extension StallWatch.Position {
  var numbers: [Int] {
    [waitsIn, enteredByAll].flatMap { [$0.number, $0.exchange, $0.step] } + [waited]
  }

  /// From a message, behind its kind and its question.
  init(numbers: [Int]) {
    func operation(_ index: Int) -> Operation {
      Operation(
        number: numbers[index], exchange: numbers[index + 1], step: numbers[index + 2])
    }
    (waitsIn, enteredByAll, waited) = (operation(2), operation(5), numbers[8])
  }
}

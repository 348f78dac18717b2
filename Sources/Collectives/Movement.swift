/// Messages of one round, planned once: a transport's.
public protocol PlannedMessages: AnyObject {
  /// Sends everything on its way.
  /// - Throws: what tells that a connection failed.
  func start() throws
  /// Whether all have been sent and have arrived; messages may move only when this is asked.
  /// - Throws: what tells that a connection failed.
  func isComplete() throws -> Bool
}

/// Bytes on their way between hosts, by a ``Schedule``: begun once a step, and finished by an exchange later in the
/// step. In between the rank computes, and looks now and then.
public final class Movement {
  /// Adds up two places of the schedule's regions. Nothing is allocated.
  public typealias Adder = (
    _ target: UnsafeMutableRawPointer, _ source: UnsafeRawPointer, _ addition: Schedule.Addition
  ) -> Void

  private struct Round {
    let messages: (any PlannedMessages)?
    let additions: [Schedule.Addition]
  }
  private let rounds: [Round]
  private let regions: [UnsafeMutableRawPointer]
  /// Writes what is to be sent; ``start()`` does it.
  public let prepare: () -> Void
  private let add: Adder
  /// The round whose messages are under way; the number of rounds if none are.
  private var current: Int
  /// Bytes that this rank sends.
  public let sentByteCount: Int

  /// - Parameters:
  ///   - regions: memory that the schedule's pieces are in.
  ///   - plan: makes the messages of a round.
  ///   - prepare: writes what is to be sent, at each start.
  ///   - add: what the schedule's additions are.
  public init(
    _ schedule: Schedule, in regions: [UnsafeMutableRawPointer],
    plan: (Schedule.Round) throws -> any PlannedMessages, preparing prepare: @escaping () -> Void,
    adding add: @escaping Adder
  ) rethrows {
    self.regions = regions
    (self.prepare, self.add) = (prepare, add)
    rounds = try schedule.rounds.map {
      Round(
        messages: $0.sent.isEmpty && $0.received.isEmpty ? nil : try plan($0),
        additions: $0.additions)
    }
    current = rounds.count
    sentByteCount = schedule.sentByteCount
  }

  /// One round of messages, and nothing to be added up after them.
  /// - Parameters:
  ///   - sentByteCount: what this rank sends, more or less.
  ///   - prepare: writes what is to be sent, at each start.
  public init(
    _ messages: any PlannedMessages, sentByteCount: Int, preparing prepare: @escaping () -> Void
  ) {
    (regions, add, self.prepare) = ([], { _, _, _ in }, prepare)
    rounds = [Round(messages: messages, additions: [])]
    current = 1
    self.sentByteCount = sentByteCount
  }

  /// Whether nothing is under way.
  public var isFinished: Bool { current == rounds.count }

  /// Writes what is to be sent, and begins the first round.
  /// - Throws: what the transport throws.
  public func start() throws {
    precondition(isFinished, "a movement begun twice")
    prepare()
    guard !rounds.isEmpty else { return }
    current = 0
    try rounds[0].messages?.start()
  }

  /// Lets messages move, adds up what has arrived, and begins the next round as soon as it can.
  /// - Returns: whether all is finished.
  /// - Throws: what the transport throws.
  public func look() throws -> Bool {
    while current < rounds.count {
      if let messages = rounds[current].messages, try !messages.isComplete() { return false }
      for addition in rounds[current].additions {
        let (target, source) = (place(addition.target), place(addition.source))
        if addition.isCopy {
          target.copyMemory(from: source, byteCount: addition.target.bytes.count)
        } else {
          add(target, source, addition)
        }
      }
      current += 1
      if current < rounds.count { try rounds[current].messages?.start() }
    }
    return true
  }

  private func place(_ piece: Schedule.Piece) -> UnsafeMutableRawPointer {
    regions[piece.region] + piece.bytes.lowerBound
  }
}

/// What moves between hosts on a rank: whoever waits, or has computed for a while, lets all of it move.
///
/// A message that is sent, as far as its sender can tell, may still lie in the sender's memory. So a rank that has
/// nothing under way has to look all the same, or others wait for ever.
public final class Traffic {
  private var movements: [Movement] = []
  private let progress: () throws -> Void

  /// - Parameter progress: lets messages move that nobody asks for any more.
  public init(progress: @escaping () throws -> Void = {}) { self.progress = progress }

  /// A movement that is to be looked after; once.
  public func add(_ movement: Movement) { movements.append(movement) }

  /// Whether this rank exchanges no messages at all.
  public var isEmpty: Bool { movements.isEmpty }

  /// Looks at all that are under way. Nothing is allocated.
  /// - Throws: what the transport throws.
  public func look() throws {
    guard !movements.isEmpty else { return }
    var isUnderWay = false
    for movement in movements where !movement.isFinished {
      isUnderWay = true
      _ = try movement.look()
    }
    if !isUnderWay { try progress() }
  }
}

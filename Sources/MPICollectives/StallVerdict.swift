/// What a rank that waits concludes from what it has asked the others: pure, so that every case can be tried without
/// ranks.
struct StallVerdict {
  enum Conclusion: Equatable {
    /// All may be well: ask again at this time.
    case askAgain(at: Int)
    /// Ranks are missing, or all wait for each other: this rank says so.
    case speak
  }

  /// How long a rank leaves it to a lower one to say what they both know, in nanoseconds.
  static let deferralTime = 10_000_000_000

  private let rank, rankCount, timeout: Int
  /// When this rank speaks, if the one that should has not ended the job until then.
  private var speakAt: Int?
  /// What all ranks waited in, and when, if once all have answered.
  private var completePicture: (operations: [Int: Operation], time: Int)?

  /// - Parameter timeout: how long an exchange may take, in nanoseconds.
  init(rank: Int, rankCount: Int, timeout: Int) {
    (self.rank, self.rankCount, self.timeout) = (rank, rankCount, timeout)
  }

  /// Whoever did not answer is missing. The lowest rank that waits says so; if nobody is missing, all may be well.
  /// - Parameter operations: what each rank that answered waits in, this one among them.
  mutating func conclude(_ operations: [Int: Operation], now: Int) -> Conclusion {
    if operations.count == rankCount {
      // The last one may have come just now; it is a stall only if all still wait in the same a timeout later.
      guard let picture = completePicture, picture.operations == operations else {
        completePicture = (operations, now)
        return .askAgain(at: now + timeout)
      }
      guard now >= picture.time + timeout else { return .askAgain(at: now + timeout) }
    }
    if operations.keys.min() == rank || now >= speakAt ?? Int.max { return .speak }
    speakAt = speakAt ?? now + Self.deferralTime
    // A rank that leaves the word to another goes on to answer, and asks again if nothing happens.
    return .askAgain(at: now + Self.deferralTime)
  }
}

import Testing

@testable import MPICollectives

/// Who says what of ranks that wait and of those that do not answer; times in seconds.
@Suite struct StallVerdictTests {
  private static let second = 1_000_000_000

  private func verdict(rank: Int) -> StallVerdict {
    StallVerdict(rank: rank, rankCount: 3, timeout: 5 * Self.second)
  }

  private func operation(_ number: Int) -> Operation { Operation(number: number) }

  @Test func theLowestRankThatWaitsSpeaksOfTheMissing() {
    var lowest = verdict(rank: 1)
    #expect(lowest.conclude([1: operation(7), 2: operation(7)], now: 0) == .speak)
    // Rank 0 is missing: it is not waited for as a speaker.
    var alone = verdict(rank: 2)
    #expect(alone.conclude([2: operation(7)], now: 0) == .speak)
  }

  @Test func anotherRankLeavesItTheWordForAWhile() {
    var second = verdict(rank: 2)
    let operations = [1: operation(7), 2: operation(7)]
    #expect(second.conclude(operations, now: 0) == .askAgain(at: 10 * Self.second))
    #expect(
      second.conclude(operations, now: 9 * Self.second) == .askAgain(at: 19 * Self.second))
    #expect(second.conclude(operations, now: 10 * Self.second) == .speak)
  }

  /// All answer: one may have been late. Only if nothing has moved a timeout later they wait for each other.
  @Test func whereAllAnswerNothingIsSaidAtOnce() {
    var first = verdict(rank: 0)
    let unlike = [0: operation(7), 1: operation(8), 2: operation(7)]
    #expect(first.conclude(unlike, now: 0) == .askAgain(at: 5 * Self.second))
    #expect(first.conclude(unlike, now: 4 * Self.second) == .askAgain(at: 9 * Self.second))
    #expect(first.conclude(unlike, now: 5 * Self.second) == .speak)
  }

  @Test func whatMovesIsNoStall() {
    var first = verdict(rank: 0)
    for number in 1..<20 {
      let operations = [0: operation(number), 1: operation(number), 2: operation(number)]
      let now = 6 * number * Self.second
      #expect(first.conclude(operations, now: now) == .askAgain(at: now + 5 * Self.second))
    }
  }
}

import Testing
import Timelines

@testable import Tracing

/// Who is blamed for waiting, on made-up spans. Times in microseconds.
@Suite struct TraceSummaryTests {
  private func span(
    _ kind: Timeline.Kind, _ begin: Int, _ end: Int, _ name: Int = 0
  ) -> Timeline.Span {
    Timeline.Span(begin: 1000 * begin, end: 1000 * end, kind: kind, name: name)
  }

  private func trace(_ rank: Int, _ spans: [Timeline.Span], clockOffset: Int = 0) -> RankTrace {
    RankTrace(
      rank: rank, hostName: "node\(rank)", spans: spans, names: ["statistics", "gradients"],
      clockOffset: clockOffset)
  }

  /// A step of a rank that enters an exchange at some time, when rank 2 comes at 700, and all leave it at 800.
  private func step(_ number: Int, entering time: Int) -> [Timeline.Span] {
    let begin = 1000 * number
    return [
      span(.waiting, begin + time, begin + 800), span(.interval, begin + time, begin + 800),
      span(.step, begin, begin + 900, number),
    ]
  }

  @Test func theLastToComeIsTheSlowest() throws {
    let summary = TraceSummary(
      [500, 600, 700].enumerated().map { rank, time in
        trace(rank, step(7, entering: time) + step(8, entering: time))
      })
    #expect(summary.firstStep == 7 && summary.stepCount == 2)
    let slowest = try #require(summary.slowest)
    #expect(slowest.rank == 2)
    // The others came 200 and 100 before it, in each step.
    #expect(abs(slowest.othersWaited - 0.15) < 1e-9)
    #expect(summary.ranks[0].othersWaited == 0 && summary.ranks[1].othersWaited == 0)
    #expect(zip(summary.ranks.map(\.work), [0.6, 0.7, 0.8]).allSatisfy { abs($0 - $1) < 1e-9 })
    #expect(zip(summary.ranks.map(\.waiting), [0.3, 0.2, 0.1]).allSatisfy { abs($0 - $1) < 1e-9 })
    #expect(
      summary.lines.last
        == "slowest: rank 2 on node2: 0.80 ms of work a step, 0.10 ms more than the median;"
        + " the others waited 0.15 ms a step"
    )
  }

  /// Rank 1's clock is 5 s behind: only with its offset does it come first.
  @Test func timesAreThoseOfOneClock() {
    func blamed(clockOffset: Int) -> Int? {
      let late = step(0, entering: 700)
      let early = step(0, entering: 500).map {
        Timeline.Span(
          begin: $0.begin - 5_000_000_000, end: $0.end - 5_000_000_000, kind: $0.kind,
          name: $0.name)
      }
      return TraceSummary([trace(0, late), trace(1, early, clockOffset: clockOffset)]).slowest?.rank
    }
    #expect(blamed(clockOffset: 5_000_000_000) == 0)
    #expect(blamed(clockOffset: 5_001_000_000) == 1)
  }

  /// A reduction is entered when it is started: what follows until it is finished delays nobody.
  @Test func aReductionCountsFromItsStart() throws {
    // Rank 0 starts at 100 and waits from 300 on; rank 1 starts at 400, works until 450, and both are done at 500.
    let early = [
      span(.waiting, 300, 500, 1), span(.interval, 100, 500, 1), span(.step, 0, 600),
    ]
    let late = [
      span(.waiting, 450, 500, 1), span(.interval, 400, 500, 1), span(.step, 0, 600),
    ]
    let slowest = try #require(TraceSummary([trace(0, early), trace(1, late)]).slowest)
    #expect(slowest.rank == 1 && abs(slowest.othersWaited - 0.1) < 1e-9)
  }

  /// Each rank adds up its slice, then they meet again: who is slow then is waited for, too.
  @Test func aSlowSliceIsWaitedFor() throws {
    func rank(sliceDone: Int) -> [Timeline.Span] {
      [
        span(.waiting, 100, 200, 1), span(.sum, 200, sliceDone), span(.waiting, sliceDone, 500, 1),
        span(.interval, 100, 500, 1), span(.step, 0, 600),
      ]
    }
    let summary = TraceSummary([trace(0, rank(sliceDone: 450)), trace(1, rank(sliceDone: 250))])
    #expect(summary.slowest?.rank == 0)
    #expect(abs(summary.ranks[0].othersWaited - 0.2) < 1e-9)
    #expect(summary.ranks[1].othersWaited == 0)
  }

  /// With several hosts, leaders wait more often than the others: the exchange is taken as a whole.
  @Test func ranksMayWaitUnequallyOften() throws {
    let leader = [
      span(.waiting, 100, 150), span(.waiting, 160, 400), span(.interval, 100, 400),
      span(.step, 0, 600),
    ]
    let late = [span(.waiting, 300, 400), span(.interval, 300, 400), span(.step, 0, 600)]
    let summary = TraceSummary([trace(0, leader), trace(1, late)])
    #expect(summary.slowest?.rank == 1)
    #expect(abs(summary.ranks[1].othersWaited - 0.19) < 1e-9)
  }

  /// Waiting in an exchange inside a reduction is that exchange's.
  @Test func anExchangeInsideAReductionIsCountedOnce() throws {
    func rank(statistics: Int, gradients: Int) -> [Timeline.Span] {
      [
        span(.waiting, statistics, 400), span(.interval, statistics, 400),
        span(.waiting, 450, 500, 1), span(.interval, gradients, 500, 1), span(.step, 0, 600),
      ]
    }
    let summary = TraceSummary([
      trace(0, rank(statistics: 200, gradients: 100)),
      trace(1, rank(statistics: 300, gradients: 250)),
    ])
    #expect(summary.ranks[0].othersWaited == 0)
    #expect(abs(summary.ranks[1].othersWaited - 0.1) < 1e-9)
  }

  @Test func whatLiesBetweenStepsIsNoStepsWork() {
    let spans =
      step(0, entering: 500) + [span(.waiting, 905, 990), span(.interval, 905, 990)]
      + step(1, entering: 500)
    let summary = TraceSummary([trace(0, spans), trace(1, spans)])
    #expect(summary.ranks.allSatisfy { abs($0.waiting - 0.3) < 1e-9 && abs($0.work - 0.6) < 1e-9 })
  }

  @Test func aLoneRankWaitsForNobody() {
    let summary = TraceSummary([trace(0, [span(.product, 0, 5), span(.step, 0, 10)])])
    #expect(summary.slowest == nil && summary.lines.count == 1)
  }
}

import Testing

@testable import Runs

/// Steps of made-up lengths.
@Suite struct StepPaceTests {
  private struct Run {
    var pace = StepPace()
    var now = 0
    var changes: [StepPace.Change] = []

    init() { take(1, milliseconds: 0) }

    mutating func take(_ steps: Int, milliseconds: Int) {
      for _ in 0..<steps {
        now += milliseconds * 1_000_000
        if let change = pace.stepDidEnd(at: now) { changes.append(change) }
      }
    }
  }

  @Test func steadyStepsAreNoNews() {
    var run = Run()
    run.take(5000, milliseconds: 3)
    run.take(500, milliseconds: 20)
    #expect(run.changes.isEmpty)
  }

  @Test func tenTimesSlowerIsSaidOnceAndSoIsTheEnd() {
    var run = Run()
    run.take(1000, milliseconds: 2)
    run.take(500, milliseconds: 40)
    #expect(run.changes == [.slow(now: 40, best: 2)])
    run.take(1000, milliseconds: 2)
    #expect(run.changes.count == 2)
    guard case .asBefore = run.changes[1] else { return #expect(Bool(false), "\(run.changes)") }
    run.take(100, milliseconds: 2000)
    #expect(run.changes.count == 3)
  }

  @Test func aSlowSecondIsNeededNotASlowStep() {
    var run = Run()
    run.take(1000, milliseconds: 2)
    run.take(1, milliseconds: 900)
    run.take(1000, milliseconds: 2)
    #expect(run.changes.isEmpty)
  }

  @Test func whatIsNoStepDoesNotCount() {
    var run = Run()
    run.take(1000, milliseconds: 2)
    for _ in 0..<100 {
      run.now += 5_000_000_000
      run.pace.stepBegins(at: run.now)
      run.take(20, milliseconds: 2)
    }
    #expect(run.changes.isEmpty)
  }

  /// Also of epochs of one step, between which there always is something else.
  @Test func epochsOfOneStepCount() {
    var run = Run()
    for milliseconds in [2, 40] {
      for _ in 0..<1000 {
        run.now += 100_000_000
        run.pace.stepBegins(at: run.now)
        run.take(1, milliseconds: milliseconds)
      }
    }
    #expect(run.changes == [.slow(now: 40, best: 2)])
  }
}

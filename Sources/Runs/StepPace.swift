/// Notices when steps become far slower than they were: as when another program takes the processors.
///
/// Means over a second count, not single steps: a machine that does other things now and then is no news.
struct StepPace {
  /// What there is to say.
  enum Change: Equatable {
    /// Milliseconds a step now and at best.
    case slow(now: Double, best: Double)
    case asBefore(now: Double)
  }

  private static let windowNanoseconds = 1_000_000_000
  private static let leastSteps = 5
  /// How many times the best time is slow, and how many times is well again.
  private static let slowFactor = 10.0
  private static let wellFactor = 3.0

  private var lastEnd: Int?
  private var (nanoseconds, steps) = (0, 0)
  /// Of the fastest second so far, in nanoseconds a step.
  private var best: Double?
  private var isSlow = false

  /// What came before was no step: a checkpoint, a grid of samples.
  mutating func stepBegins(at now: Int) { lastEnd = now }

  /// A step has ended.
  /// - Parameter now: in nanoseconds of any clock that does not jump.
  /// - Returns: what is to be said, if anything.
  mutating func stepDidEnd(at now: Int) -> Change? {
    defer { lastEnd = now }
    guard let lastEnd else { return nil }
    nanoseconds += now - lastEnd
    steps += 1
    guard nanoseconds >= Self.windowNanoseconds && steps >= Self.leastSteps else { return nil }
    let mean = Double(nanoseconds) / Double(steps)
    (nanoseconds, steps) = (0, 0)
    guard let best else {
      self.best = mean
      return nil
    }
    self.best = min(best, mean)
    if !isSlow && mean >= Self.slowFactor * best {
      isSlow = true
      return .slow(now: mean / 1e6, best: best / 1e6)
    }
    if isSlow && mean < Self.wellFactor * best {
      isSlow = false
      return .asBefore(now: mean / 1e6)
    }
    return nil
  }
}

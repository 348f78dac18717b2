import Texts
import Timelines

/// Who worked, who waited, and for whom.
///
/// What a rank waits in an exchange before the last rank has entered it (a reduction: has started it), it waits for
/// that last rank; so, too, in the second half of a reduction, which a rank enters with its own slice of the sum. What
/// it waits after that is the exchange's own time.
public struct TraceSummary: Sendable, Encodable {
  /// Of one rank: means over the steps, in milliseconds a step.
  public struct Rank: Sendable, Encodable {
    public let rank: Int
    public let host: String
    /// A step's time without waiting.
    public var work = 0.0
    public var waiting = 0.0
    /// What each other rank waited for this one, on average.
    public var othersWaited = 0.0
  }

  /// Number of the first step, from 0, and how many there are.
  public let firstStep: Int
  public let stepCount: Int
  public private(set) var ranks: [Rank]

  public init(_ traces: [RankTrace]) {
    let steps = traces.map(\.steps)
    firstStep = steps.first?.first?.name ?? 0
    stepCount = steps.map(\.count).min() ?? 0
    ranks = traces.map { Rank(rank: $0.rank, host: $0.hostName) }
    guard stepCount > 0 else { return }
    let scale = 1e-6 / Double(stepCount)
    let ofRanks = zip(traces, steps).map { StepContent($0, steps: $1) }
    for (index, content) in ofRanks.enumerated() {
      let waiting = content.waits.reduce(0) { $0 + $1.end - $1.begin }
      let whole = steps[index].reduce(0) { $0 + $1.end - $1.begin }
      ranks[index].waiting = Double(waiting) * scale
      ranks[index].work = Double(whole - waiting) * scale
    }
    // All ranks run the same exchanges in the same order.
    for number in 0..<(ofRanks.map(\.exchanges.count).min() ?? 0) {
      let exchanges = ofRanks.map { $0.exchanges[number] }
      let phases = Exchange.phaseCount(exchanges)
      for phase in 0..<phases {
        let entries = exchanges.map { $0.entry(phase) }
        guard let last = entries.indices.max(by: { entries[$0] < entries[$1] }) else { continue }
        let waited = exchanges.reduce(0) {
          $0 + $1.waited(phase: phases == 1 ? nil : phase, until: entries[last])
        }
        ranks[last].othersWaited += Double(waited) * scale / Double(max(ranks.count - 1, 1))
      }
    }
  }

  /// The rank that the others waited for most; nil if nobody waited for anybody.
  public var slowest: Rank? {
    ranks.max { $0.othersWaited < $1.othersWaited }.flatMap { $0.othersWaited > 0 ? $0 : nil }
  }

  /// The middle of all ranks' work; of two in the middle their mean.
  public var medianWork: Double {
    let sorted = ranks.map(\.work).sorted()
    guard !sorted.isEmpty else { return 0 }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// For people: a line a rank, and who is the slowest.
  public var lines: [String] {
    var lines = ranks.map {
      "rank \($0.rank) on \($0.host): \($0.work.fixed(2)) ms of work"
        + " and \($0.waiting.fixed(2)) ms of waiting a step"
    }
    if let slowest {
      let more = slowest.work - medianWork
      lines.append(
        "slowest: rank \(slowest.rank) on \(slowest.host): \(slowest.work.fixed(2)) ms of work a step,"
          + " \(abs(more).fixed(2)) ms \(more < 0 ? "less" : "more") than the median;"
          + " the others waited \(slowest.othersWaited.fixed(2)) ms a step")
    }
    return lines
  }
}

/// What matters of a rank's steps.
private struct StepContent {
  let waits: [Timeline.Span]
  /// In the order in which they ended.
  let exchanges: [Exchange]

  init(_ trace: RankTrace, steps: [Timeline.Span]) {
    var step = 0
    // What lies between steps, such as a checkpoint, is left out. A span comes before the step that it is in.
    let inside = trace.spans.filter { span in
      if span.kind == .step { step += 1 }
      return step < steps.count && span.begin >= steps[step].begin
    }
    waits = inside.filter { $0.kind == .waiting }
    var open: [Int: [Timeline.Span]] = [:]
    // An exchange ends after its waits, and before it runs again.
    exchanges = inside.compactMap { span in
      if span.kind == .waiting { open[span.name, default: []].append(span) }
      guard span.kind == .interval else { return nil }
      return Exchange(begin: span.begin, waits: open.removeValue(forKey: span.name) ?? [])
    }
  }
}

/// An exchange on one rank.
private struct Exchange {
  let begin: Int
  let waits: [Timeline.Span]

  /// Phases that all ranks go through together: one for each wait, if all have as many. Leaders of hosts have more than
  /// the others: then the exchange is taken as a whole.
  static func phaseCount(_ exchanges: [Exchange]) -> Int {
    let counts = Set(exchanges.map(\.waits.count))
    return counts.count == 1 ? max(counts.first ?? 1, 1) : 1
  }

  /// When the rank entered a phase: the first one with the exchange, each other when it began to wait in it.
  func entry(_ phase: Int) -> Int { phase == 0 ? begin : waits[phase].begin }

  /// How long the rank waited before a time, in one phase or in all.
  func waited(phase: Int?, until time: Int) -> Int {
    (phase.map { waits[$0...$0] } ?? waits[...]).reduce(0) {
      $0 + max(0, min($1.end, time) - $1.begin)
    }
  }
}

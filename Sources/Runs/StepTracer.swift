import Files
import GANTraining
import MPI
import MPICollectives
import Matrices
import Memory
import Timelines
import Tracing

/// Records some steps on every rank, and brings them together on rank 0, which writes the trace.
///
/// Every rank must have one: they meet after the last of the steps, or at the end of a run that has fewer.
package final class StepTracer: TrainingObserver {
  private enum Phase {
    case warmingUp, recording, over
  }

  private let path: String
  private let stepsBefore, stepCount: Int
  private let communicator: Communicator
  private let ranks: RankDirectory
  private let clocks: HostClocks
  /// On rank 0.
  private let log: RunLog?
  private var phase = Phase.warmingUp
  private var stepsTaken = 0
  private var spans: [Timeline.Span] = []
  /// Whether a step had more spans than there was room for.
  private var isIncomplete = false

  /// Spans of a step for which there is room: hundreds of times those of a batch of 64.
  private static let spansOfStep = 1 << 16

  /// Sees whether this rank has the memory for what it records.
  /// - Throws: `MemoryError`.
  package static func demandMemory() throws(MemoryError) {
    let byteCount = spansOfStep * MemoryLayout<Timeline.Span>.stride
    try Memory.demand(2 * byteCount, for: "the spans of a traced step")
  }

  /// - Parameters:
  ///   - path: of the trace.
  ///   - stepsBefore: steps of this run before the first that is traced.
  ///   - stepCount: steps to trace.
  ///   - communicator: of all ranks.
  ///   - ranks: who takes part.
  ///   - log: on rank 0.
  package init(
    path: String, stepsBefore: Int, stepCount: Int, over communicator: Communicator,
    ranks: RankDirectory, log: RunLog?
  ) {
    (self.path, self.communicator) = (path, communicator)
    (self.stepsBefore, self.stepCount) = (stepsBefore, stepCount)
    (self.ranks, self.log) = (ranks, log)
    clocks = HostClocks(ranks.hosts)
    // Memory is taken now, so that the first step recorded does not stumble over it.
    Timeline.start(capacity: Self.spansOfStep, threadCount: WorkTeam.threadCount)
    _ = Timeline.stop()
  }

  package func trainingWillBegin(_ trainer: Trainer) { beginIfDue() }

  package func stepDidEnd(_ progress: TrainingProgress) throws {
    guard phase != .over else { return }
    stepsTaken += 1
    if phase == .recording { keep(Timeline.stop()) }
    if stepsTaken == stepsBefore + stepCount {
      try finish()
    } else {
      beginIfDue()
    }
  }

  package func trainingDidStop(_ trainer: Trainer) throws { try endEarly() }

  package func trainingDidEnd(_ trainer: Trainer) throws { try endEarly() }

  /// A step at a time, so that no step needs room for all.
  private func beginIfDue() {
    guard stepsTaken >= stepsBefore else { return }
    phase = .recording
    Timeline.start(capacity: Self.spansOfStep, threadCount: WorkTeam.threadCount)
  }

  private func keep(_ step: [Timeline.Span]) {
    isIncomplete = isIncomplete || step.count == Self.spansOfStep
    spans += step
  }

  /// All ranks took as many steps.
  private func endEarly() throws {
    guard phase != .over else { return }
    _ = Timeline.stop()
    if stepsTaken > stepsBefore { return try finish() }
    phase = .over
    log?.logger.warning(
      """
      no trace: the run took \(Phrases.count(stepsTaken, "step")), and \
      \(Phrases.count(stepsBefore)) were to be taken before the first traced one \
      (--trace-after)
      """)
  }

  /// Every rank must call this.
  private func finish() throws {
    phase = .over
    // Now, not before the steps: clocks drift.
    let offsets = try clocks.offsets()
    let numbers = try communicator.gather(RankTrace.numbers(of: spans), at: 0)
    let names = try communicator.allGather(Timeline.names.joined(separator: "\n"))
    let ranksWithoutRoom = try communicator.allGather(isIncomplete ? 1 : 0).reduce(0, +)
    spans = []
    guard let log else { return }
    if ranksWithoutRoom > 0 {
      log.logger.warning(
        "the trace is not complete: steps have more than \(Phrases.count(Self.spansOfStep)) spans")
    }
    let traces = numbers.indices.map { rank in
      RankTrace(
        rank: rank, hostName: ranks.hostOfRank[rank],
        spans: RankTrace.spans(from: numbers[rank]),
        names: names[rank].split(separator: "\n", omittingEmptySubsequences: false).map(
          String.init),
        clockOffset: offsets[rank].offset, clockUncertainty: offsets[rank].uncertainty)
    }
    try write(TraceFile(traces, program: RunDescription.program), log)
  }

  private func write(_ file: TraceFile, _ log: RunLog) throws {
    do {
      try file.write(to: path)
    } catch let error as FileError {
      throw RunFolderError(path: path, reason: error.reason)
    }
    let summary = file.summary
    let last = summary.firstStep + max(summary.stepCount - 1, 0)
    log.logger.info(
      """
      trace of steps \(Phrases.count(summary.firstStep)) to \(Phrases.count(last)): \
      \(Phrases.count(file.spanCount, "span")) in \(path), for ui.perfetto.dev
      """)
    for line in summary.lines { log.logger.info("  \(line)") }
    for trace in file.traces where trace.clockUncertainty > 0 {
      log.logger.debug(
        """
          clock of \(trace.title): \(Phrases.count(trace.clockOffset)) ns behind rank 0's, \
        give or take \(Phrases.count(trace.clockUncertainty)) ns
        """)
    }
  }
}

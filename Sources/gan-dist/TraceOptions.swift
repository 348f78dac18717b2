import ArgumentParser
import MPI
import Runs

/// Which steps are traced, and where to.
struct TraceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write what all ranks do in some steps, for ui.perfetto.dev.",
      discussion: """
        Results are the same with and without it. The file is written as soon as the steps are over, and the log \
        names the rank that the others wait for.
        """, valueName: "file"))
  var trace: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Steps to trace (default: 20).", valueName: "n"),
    transform: NumberOption<Int>.whole("--trace-steps", 1...1000).parse)
  var traceSteps: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Steps of this run before the first that is traced, to get warm (default: 20).",
      valueName: "n"),
    transform: NumberOption<Int>.whole("--trace-after", 0...(1 << 32)).parse)
  var traceAfter: Int?

  /// What records the steps; nil if no trace is asked for. Every rank must call this.
  /// - Throws: `MPIError`; ``AgreedFailure`` of a `MemoryError`.
  func tracer(
    over communicator: Communicator, ranks: RankDirectory, log: RunLog?
  ) throws -> StepTracer? {
    guard let trace else { return nil }
    try communicator.agree { try StepTracer.demandMemory() }
    return StepTracer(
      path: trace, stepsBefore: traceAfter ?? 20, stepCount: traceSteps ?? 20, over: communicator,
      ranks: ranks, log: log)
  }

  func validate() throws {
    if trace == "" { throw ValidationError("--trace needs the name of a file.") }
    if trace == nil, traceSteps != nil || traceAfter != nil {
      throw ValidationError("--trace-steps and --trace-after go with --trace FILE.")
    }
  }
}

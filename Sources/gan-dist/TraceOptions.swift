import ArgumentParser

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

  var stepCount: Int { traceSteps ?? 20 }
  var stepsBefore: Int { traceAfter ?? 20 }

  func validate() throws {
    if trace == "" { throw ValidationError("--trace needs the name of a file.") }
    if trace == nil, traceSteps != nil || traceAfter != nil {
      throw ValidationError("--trace-steps and --trace-after go with --trace FILE.")
    }
  }
}

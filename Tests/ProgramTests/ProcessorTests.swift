import Foundation
import Matrices
import TestSupport
import Testing

/// gan-dist on other processors than this one, as far as this one can stand in for them.
@Suite(.serialized) struct ProcessorTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  /// A limit that this processor lacks, if there is one.
  private static let tooHigh = InstructionSet.allCases.first { $0 > Processor.supported }

  private func limited(_ target: String) -> [String: String] { ["LIBXSMM_TARGET": target] }

  /// The state after some steps.
  private func digest(_ name: String, ranks: Int = 1, _ environment: [String: String]) throws
    -> String
  {
    let job = try Command.mpirun(
      ranks: ranks, program,
      ["--max-steps", "6", "--threads", "1", "--out", scratch.path(name)],
      environment: environment)
    try #require(job.status == 0, "\(job.transcript)")
    let parts = job.output.components(separatedBy: "state after step 6: digest ")
    try #require(parts.count == 2, "\(job.transcript)")
    return String(parts[1].prefix(64))
  }

  /// Refused by all ranks at once, before there is anything to undo.
  private func demandRefusal(_ limit: InstructionSet) throws {
    let options = ["--max-steps", "1", "--out", scratch.path("run")]
    let environment = limited(limit.target)
    let job = try Command.mpirun(
      ranks: 2, program, options + ["--precision", "bfloat16"], environment: environment)
    #expect(job.status == 64, "\(job.transcript)")
    let message = "error: --precision bfloat16 needs a processor with AVX-512 BF16, but there is "
    #expect(job.errors.components(separatedBy: message).count == 2, "\(job.transcript)")
    #expect(job.errors.contains("\(message)\(limit) on rank 0 on "))
    let bench = try Command.run(
      [program, "bench", "--precision", "bfloat16", "--steps", "1"], environment: environment)
    #expect(bench.status == 64 && bench.errors.contains(message), "\(bench.transcript)")
    let other = try Command.mpirun(ranks: 2, program, options, environment: environment)
    #expect(other.status == 0, "\(other.transcript)")
    #expect(other.output.contains("  precision  float32\n"))
    #expect(other.output.contains("(\(limit)"), "\(other.transcript)")
  }

  @Test func bfloat16IsRefusedWithoutAVX() throws { try demandRefusal(.sse2) }

  @Test(.enabled(if: Machine.has(.avx2), "needs AVX2"))
  func bfloat16IsRefusedOnAVX2() throws { try demandRefusal(.avx2) }

  @Test(.enabled(if: Machine.has(.avx512), "needs AVX-512"))
  func bfloat16IsRefusedOnAVX512() throws { try demandRefusal(.avx512) }

  @Test(.enabled(if: Machine.has(.avx512), "needs AVX-512"))
  func productsOfAVX2AndAVX512HaveTheSameBits() throws {
    let avx2 = try digest("avx2", ranks: 2, limited("hsw"))
    #expect(try digest("avx512", limited("skx")) == avx2)
    #expect(try digest("best", limited("")) == avx2)
  }

  /// Without FMA there is one result, too: from libxsmm's code for AVX and SSE, and from our own
  /// loops.
  @Test(.enabled(if: Machine.has(.avx), "needs AVX"))
  func processorsWithoutFMAHaveTheSameBits() throws {
    let avx = try digest("avx", limited("snb"))
    #expect(try digest("sse", ranks: 2, limited("wsm")) == avx)
    #expect(try digest("none", limited("generic")) == avx)
  }

  @Test(.enabled(if: Machine.has(.avx2), "needs AVX2"))
  func ranksWithAndWithoutFMACannotPromiseTheSameBits() throws {
    let onlyRank1 = """
      [ "$OMPI_COMM_WORLD_RANK" != 1 ] || export LIBXSMM_TARGET=generic; exec "$0" "$@"
      """
    let options = ["--max-steps", "2", "--quiet", "--out", scratch.path("run")]
    let refused = try Command.mpirun(
      ranks: 2, "sh", ["-c", onlyRank1, program] + options)
    #expect(refused.status == 64, "\(refused.transcript)")
    #expect(refused.errors.contains("the processors must give the same bits on all ranks"))
    #expect(refused.errors.contains("SSE2 on rank 1 on "))
    expectNothingTouched()
  }

  /// A log of a processor without FMA says that its numbers are others.
  @Test func theLogSaysWhatBitsDependOn() throws {
    let job = try Command.run(
      [program, "--max-steps", "1", "--out", scratch.path("run")], environment: limited("generic"))
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("no libxsmm (SSE2, no FMA: other last digits than with it)"))
  }

  /// A short version of Tests/processors: a processor with SSE4.2, and one that libxsmm has
  /// nothing for.
  @Test(.enabled(if: Machine.emulatesProcessors, "needs qemu-x86_64"))
  func olderProcessorsTrain() throws {
    let script = Repository.folder.appendingPathComponent("Tests/processors/other-processors.sh")
    let job = try Command.run([script.path, program, "", "2", "Nehalem", "Penryn"], timeLimit: 300)
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("other-processors: passed: Nehalem Penryn, 2 steps"))
    print(job.output)
  }

  // -- what is refused --

  private func expectNothingTouched() {
    #expect(!FileManager.default.fileExists(atPath: scratch.path("run")))
    #expect(!FileManager.default.fileExists(atPath: scratch.path("images.png")))
  }

  /// train, bench and generate; train on two ranks, of which one speaks. The generator's file
  /// need not be there: the processor comes first.
  private func expectRefusals(
    status: Int32, saying message: String, by prefix: [String] = [],
    environment: [String: String] = [:]
  ) throws {
    let train = try Command.mpirun(
      ranks: 2, (prefix + [program])[0],
      Array((prefix + [program]).dropFirst()) + ["--max-steps", "1", "--out", scratch.path("run")],
      environment: environment)
    let others = try [
      ["bench", "--steps", "1"],
      ["generate", "--checkpoint", "none", "--out", scratch.path("images.png")],
    ].map { try Command.run(prefix + [program] + $0, environment: environment) }
    for job in [train] + others {
      #expect(job.status == status, "\(job.transcript)")
      #expect(job.errors.components(separatedBy: message).count == 2, "\(job.transcript)")
      #expect(job.output.isEmpty, "\(job.transcript)")
    }
    #expect(train.errors.contains("error: rank 0 on "), "\(train.transcript)")
    #expect(train.errors.contains(" (and 1 other rank): "), "\(train.transcript)")
    expectNothingTouched()
  }

  @Test(arguments: ["hws", "knl", "1006", "x\u{1B}[2J"])
  func aLimitWithoutMeaningIsRefused(limit: String) throws {
    try expectRefusals(
      status: 64, saying: "LIBXSMM_TARGET is \(limit.debugDescription), which names no",
      environment: limited(limit))
  }

  @Test(.enabled(if: tooHigh != nil, "needs a processor without AVX-512 BF16"))
  func aLimitBeyondTheProcessorIsRefused() throws {
    let limit = try #require(Self.tooHigh).target
    try expectRefusals(
      status: 64, saying: "LIBXSMM_TARGET is \(limit), which stands for",
      environment: limited(limit))
  }

  @Test func oneUnfitRankIsNamed() throws {
    let onlyRank2 = """
      [ "$OMPI_COMM_WORLD_RANK" != 2 ] || export LIBXSMM_TARGET=hws; exec "$0" "$@"
      """
    let job = try Command.mpirun(
      ranks: 3, "sh", ["-c", onlyRank2, program, "--max-steps", "1", "--out", scratch.path("run")])
    #expect(job.status == 64, "\(job.transcript)")
    #expect(job.errors.contains("error: rank 2 on "), "\(job.transcript)")
    #expect(job.errors.components(separatedBy: "LIBXSMM_TARGET is ").count == 2)
    expectNothingTouched()
  }

  @Test(
    .enabled(if: Processor.instructionSet >= .sse42, "needs a processor that libxsmm knows"),
    arguments: ["no-machine-code", "kill-machine-code"])
  func codeThatMayNotRunIsRefused(confinement: String) throws {
    try expectRefusals(
      status: 70, saying: "machine code for \(Processor.instructionSet), made and tried",
      by: [BuiltProgram.path("confined"), confinement])
  }

  /// Without a trial, too, there is a message: libxsmm itself would take memory that cannot be
  /// executed, and crash.
  @Test(.enabled(if: Processor.instructionSet >= .sse42, "needs a processor that libxsmm knows"))
  func codeThatCannotBeStoredIsAnError() throws {
    let job = try Command.run([
      BuiltProgram.path("confined"), "no-machine-code", BuiltProgram.path("mpi-checks"),
      "allocations",
    ])
    #expect(job.status == 70, "\(job.transcript)")
    #expect(job.errors.contains("made no code for"), "\(job.transcript)")
  }

  /// … and the message's way out is one.
  @Test func ownLoopsNeedNoMachineCode() throws {
    let job = try Command.run(
      [
        BuiltProgram.path("confined"), "kill-machine-code", program, "--max-steps", "2", "--out",
        scratch.path("run"),
      ], environment: limited("generic"))
    #expect(job.status == 0, "\(job.transcript)")
  }

  /// What else libxsmm takes from the environment changes no number, and ends nothing.
  @Test func otherVariablesOfLibxsmmChangeNothing() throws {
    let variables = [
      "LIBXSMM_GEMM_PREFETCH": "9", "LIBXSMM_CACHE": "0", "LIBXSMM_NLOCKS": "0",
      "LIBXSMM_TRYLOCK": "1", "LIBXSMM_SE": "1", "LIBXSMM_SYNC": "1", "LIBXSMM_XCOPY_JIT": "0",
      "LIBXSMM_SCRATCH_POOLS": "0", "LIBXSMM_SCRATCH_LIMIT": "0", "LIBXSMM_VERBOSE": "3",
    ]
    #expect(try digest("with", variables) == digest("without", [:]))
    // Another allocator than ours is nothing that a run would notice.
    #expect(try digest("malloc", ["LIBXSMM_MALLOC": "1"]) == digest("none", [:]))
  }
}

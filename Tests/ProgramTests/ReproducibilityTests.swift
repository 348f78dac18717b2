import Foundation
import TestSupport
import Testing

/// The same state for any number of ranks and threads, on real data, through kills.
@Suite(.serialized) struct ReproducibilityTests {
  @Test func anyRanksEndInTheSameState() throws {
    let script = Repository.folder
      .appendingPathComponent("Tests/reproducibility/any-ranks.sh").path
    let job = try Command.run(
      [script, BuiltProgram.path("gan-dist"), "12", "short"], timeLimit: 400)
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("any-ranks: passed: "))
  }

  @Test func ranksWithoutImagesAreTold() throws {
    let scratch = try TemporaryFolder()
    try SmallDataSet.write(to: scratch.url("data"))
    func banner(_ ranks: Int, _ options: String...) throws -> String {
      let job = try Command.mpirun(
        ranks: ranks, BuiltProgram.path("gan-dist"),
        ["--max-steps", "1", "--data", scratch.path("data"), "--out", scratch.path("\(UUID())")]
          + options)
      #expect(job.status == 0, "\(job.transcript)")
      return job.output
    }
    // Two blocks of rows for three ranks, or for as many of them as there are processors.
    let few = try banner(3, "--batch-size", "16")
    #expect(
      few.contains(try Regex("[12] of 3 ranks have rows, all have weights to update")), "\(few)")
    let all = try banner(1, "--batch-size", "16")
    #expect(all.contains("the same bits for any number of ranks, threads and hosts"))
    #expect(!all.contains("have rows"))
  }

  @Test(arguments: [
    "--reproducible", "--no-reproducible", "--shard-size=16", "--shard-optimizer",
    "--no-shard-optimizer",
  ])
  func thereIsOneModeWithoutAnOption(option: String) throws {
    let job = try Command.run([BuiltProgram.path("gan-dist"), option, "--max-steps", "0"])
    #expect(job.status == 64, "\(job.transcript)")
  }
}

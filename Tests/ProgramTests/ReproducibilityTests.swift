import Foundation
import TestSupport
import Testing

/// `--reproducible`: the same state for any number of ranks and threads, on real data, through kills.
@Suite(.serialized) struct ReproducibilityTests {
  @Test func anyRanksEndInTheSameState() throws {
    let script = Repository.folder
      .appendingPathComponent("Tests/reproducibility/any-ranks.sh").path
    let job = try Command.run(
      [script, BuiltProgram.path("gan-dist"), "12"], timeLimit: 400)
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
    let idle = try banner(5, "--batch-size", "64", "--reproducible")
    #expect(idle.contains("1 rank of 5 idle: take 4, or a smaller --shard-size"))
    let uneven = try banner(3, "--batch-size", "64", "--reproducible")
    #expect(uneven.contains("2 or 4 ranks would share them evenly"))
    #expect(try banner(2, "--batch-size", "64").contains("depend on the number of ranks"))
  }
}

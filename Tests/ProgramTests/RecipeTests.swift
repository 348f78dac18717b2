import Foundation
import TestSupport
import Testing

/// A recipe is a name for options: nothing else happens than with these.
@Suite(.serialized) struct RecipeTests {
  private let scratch: TemporaryFolder

  init() throws {
    scratch = try TemporaryFolder()
    try SmallDataSet.write(to: scratch.url("data"), imageCount: 80)
  }

  @discardableResult
  private func train(
    _ run: String, _ options: [String], expecting status: Int32 = 0
  ) throws -> Command {
    let job = try Command.mpirun(
      ranks: 1, BuiltProgram.path("gan-dist"),
      [
        "--data", scratch.path("data"), "--batch-size", "20", "--threads", "1", "--quiet", "--out",
        scratch.path(run),
      ] + options, timeLimit: 60)
    try #require(job.status == status, "\(job.transcript)")
    return job
  }

  private func digest(_ run: String, step: Int) throws -> String {
    let path = scratch.path(
      run + "/checkpoints/step_" + String(format: "%08d", step) + ".safetensors")
    let inspection = try Command.run(
      [BuiltProgram.path("gan-dist"), "inspect", "--digest", path])
    try #require(
      inspection.status == 0 && inspection.output.count == 65, "\(inspection.transcript)")
    return inspection.output
  }

  @Test(arguments: [
    ("notebook", [String]()),
    ("fast", ["--epochs", "20", "--learning-rate", "1e-3", "--learning-rate-decay", "linear"]),
    ("best", ["--epochs", "100", "--learning-rate", "1e-3", "--learning-rate-decay", "linear"]),
  ]) func recipeIsItsOptions(recipe: String, options: [String]) throws {
    try train("named", ["--recipe", recipe, "--max-steps", "6"])
    try train("told", options + ["--max-steps", "6"])
    #expect(try digest("named", step: 6) == digest("told", step: 6))
  }

  @Test func anOptionThatIsGivenWins() throws {
    try train(
      "named",
      [
        "--recipe", "fast", "--learning-rate-decay", "none", "--learning-rate", "1e-4", "--epochs",
        "1",
      ])
    try train("told", ["--epochs", "1"])
    #expect(try digest("named", step: 4) == digest("told", step: 4))
  }

  /// A rate that falls to 0 at the run's end depends on where that is.
  @Test(arguments: [["--recipe", "notebook"], ["--recipe", "best"], ["--epochs", "40"]])
  func aResumedRunKeepsItsRecipe(option: [String]) throws {
    try train("run", ["--recipe", "fast", "--max-steps", "2"])
    let goOn = ["--resume", "latest", "--max-steps", "4"]
    let refused = try train("run", goOn + option, expecting: 64)
    #expect(refused.errors.contains("error: \(option[0]) is "), "\(refused.transcript)")
    #expect(refused.errors.contains("--override"))
    try train("run", goOn + ["--recipe", "fast"])
    try train("run", ["--resume", "latest", "--max-steps", "6", "--override"] + option)
  }
}

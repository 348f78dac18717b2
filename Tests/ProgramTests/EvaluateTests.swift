import Foundation
import TestSupport
import Testing

/// `gan-dist evaluate` on small data of its own.
@Suite(.serialized) struct EvaluateTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder
  private var environment: [String: String] { ["XDG_CACHE_HOME": scratch.path("cache")] }

  init() throws {
    scratch = try TemporaryFolder()
    let data = URL(fileURLWithPath: scratch.path("data"))
    try SmallDataSet.write(to: data, imageCount: 300)
    let other = URL(fileURLWithPath: scratch.path("other"))
    try SmallDataSet.write(to: other, imageCount: 40)
    for part in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
      try FileManager.default.moveItem(
        at: other.appendingPathComponent("train-\(part)"),
        to: data.appendingPathComponent("t10k-\(part)"))
    }
    let job = try Command.run([
      program, "--quiet", "--max-steps", "2", "--data", data.path, "--out", scratch.path("run"),
    ])
    try #require(job.status == 0, "\(job.transcript)")
  }

  private func evaluate(_ arguments: String..., ranks: Int = 1) throws -> Command {
    let launcher = ranks == 1 ? [] : ["mpirun", "--oversubscribe", "-np", "\(ranks)"]
    return try Command.run(
      launcher + [program, "evaluate"] + arguments, environment: environment)
  }

  @Test func anyNumberOfRanksPrintsTheSameNumbers() throws {
    let one = try evaluate(scratch.path("run"), "--count", "100", "--json")
    try #require(one.status == 0, "\(one.transcript)")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(one.output.utf8)) as? [String: Any])
    for key in [
      "fcd", "fcd_floor", "fcd_training", "kid", "precision", "recall", "density", "coverage",
      "inception_score", "class_distance_from_uniform", "copying_deviations", "judge_accuracy",
    ] { #expect(object[key] is Double, "\(key)") }
    #expect((object["classes"] as? [Int])?.reduce(0, +) == 100)
    #expect(object["count_test"] as? Int == 40)
    // The second time the judge comes from the cache.
    let three = try evaluate(scratch.path("run"), "--count", "100", "--json", ranks: 3)
    #expect(three.status == 0 && three.output == one.output, "\(three.transcript)")
    #expect(one.transcript.contains("training the judge"))
    #expect(!three.transcript.contains("training the judge"))
  }

  @Test func aPersonReadsTheFloorBesideTheFigures() throws {
    let features = scratch.path("features.npy")
    let result = try evaluate(
      scratch.path("run/generator.safetensors"), "--data", scratch.path("data"), "--count", "50",
      "--features", features, "--closest", scratch.path("pairs.png"))
    try #require(result.status == 0, "\(result.transcript)")
    for part in ["fcd", "kid", "coverage", "floor", "inception score"] {
      #expect(result.output.contains(part), "\(part)")
    }
    for (part, rows) in [("", 50), ("-test", 40), ("-training", 300)] {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.path("features\(part).npy")))
      #expect(bytes.count == 128 + rows * 128 * 4, "\(part)")
    }
    let picture = try Data(contentsOf: URL(fileURLWithPath: scratch.path("pairs.png")))
    #expect(picture.starts(with: [0x89, 0x50, 0x4E, 0x47]))
  }

  @Test func whatCannotBeEvaluatedIsTold() throws {
    let none = try evaluate(scratch.path("nothing"))
    #expect(none.status == 66 && none.transcript.contains("nothing"), "\(none.transcript)")
    let empty = try evaluate(scratch.path("data"))
    #expect(empty.status == 66 && empty.transcript.contains("holds neither"), "\(empty.transcript)")
    let few = try evaluate(scratch.path("run"), "--count", "5")
    #expect(few.status == 64 && few.transcript.contains("--count"), "\(few.transcript)")
    // Without test images.
    let folder = URL(fileURLWithPath: scratch.path("data"))
    for part in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
      try FileManager.default.removeItem(at: folder.appendingPathComponent("t10k-\(part)"))
    }
    let untested = try evaluate(scratch.path("run"))
    #expect(
      untested.status == 66 && untested.transcript.contains("no test images"),
      "\(untested.transcript)")
  }
}

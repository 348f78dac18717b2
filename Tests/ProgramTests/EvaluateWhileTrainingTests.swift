import Foundation
import TestSupport
import Testing

/// `gan-dist train --evaluate-every`, and what a run says of itself.
@Suite(.serialized) struct EvaluateWhileTrainingTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder

  init() throws {
    scratch = try TemporaryFolder()
    let data = URL(fileURLWithPath: scratch.path("data"))
    let other = URL(fileURLWithPath: scratch.path("other"))
    try SmallDataSet.write(to: data, imageCount: 200)
    try SmallDataSet.write(to: other, imageCount: 40)
    for part in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
      try FileManager.default.moveItem(
        at: other.appendingPathComponent("train-\(part)"),
        to: data.appendingPathComponent("t10k-\(part)"))
    }
  }

  private func train(_ out: String, ranks: Int = 1, _ arguments: String...) throws -> Command {
    let launcher = ranks == 1 ? [] : ["mpirun", "--oversubscribe", "-np", "\(ranks)"]
    return try Command.run(
      launcher + [program, "--data", scratch.path("data"), "--out", scratch.path(out)] + arguments,
      environment: ["XDG_CACHE_HOME": scratch.path("cache")])
  }

  private func table(_ out: String) throws -> [String] {
    try String(contentsOfFile: scratch.path("\(out)/evaluation.csv"), encoding: .utf8)
      .split(separator: "\n").map(String.init)
  }

  @Test func resumptionsAndRanksLeaveOneTable() throws {
    let whole = try train("whole", "--epochs", "4", "--evaluate-every", "2")
    try #require(whole.status == 0, "\(whole.transcript)")
    let rows = try table("whole")
    #expect(rows.count == 3 && rows[1].hasPrefix("2,") && rows[2].hasPrefix("4,"))
    #expect(whole.transcript.contains("epoch 4: fcd "))
    let first = try train("parts", ranks: 2, "--epochs", "3", "--evaluate-every", "2")
    try #require(first.status == 0, "\(first.transcript)")
    // The end of a run is evaluated, too.
    #expect(try table("parts").count == 3)
    let second = try train(
      "parts", "--resume", "latest", "--epochs", "4", "--evaluate-every", "2")
    try #require(second.status == 0, "\(second.transcript)")
    #expect(try table("parts").filter { !$0.hasPrefix("3,") } == rows)
  }

  @Test func theThirdPanelMakesThePictureBroader() throws {
    func width(_ out: String) throws -> Int {
      let bytes = try Data(
        contentsOf: URL(fileURLWithPath: scratch.path("\(out)/plots/losses.png")))
      return bytes[16..<20].reduce(0) { $0 << 8 | Int($1) }
    }
    try #require(try train("with", "--epochs", "1", "--evaluate-every", "1").status == 0)
    try #require(try train("without", "--epochs", "1", "--evaluate-every", "0").status == 0)
    #expect(try width("with") == 1920)
    #expect(try width("without") == 1280)
    #expect(!FileManager.default.fileExists(atPath: scratch.path("without/evaluation.csv")))
  }

  @Test func withoutTestImagesItIsRefusedBeforeAnythingIsMade() throws {
    try FileManager.default.removeItem(atPath: scratch.path("data/t10k-images-idx3-ubyte"))
    try FileManager.default.removeItem(atPath: scratch.path("data/t10k-labels-idx1-ubyte"))
    let refused = try train("none", "--epochs", "1", "--evaluate-every", "1")
    #expect(
      refused.status == 66 && refused.transcript.contains("no test images"), "\(refused.transcript)"
    )
    #expect(!FileManager.default.fileExists(atPath: scratch.path("none")))
    // Nobody has asked for it: the run goes on.
    let usual = try train("usual", "--epochs", "20")
    #expect(usual.status == 0 && usual.transcript.contains("no test images"))
  }

  @Test func aWinOfDIsTold() throws {
    // Without dropout and smoothing, and with a slow G: D knows these few images by heart.
    let run = try train(
      "won", "--epochs", "12", "--evaluate-every", "0", "--dropout", "0", "--label-smoothing", "0",
      "--learning-rate", "1e-3", "--beta1", "0.9")
    try #require(run.status == 0, "\(run.transcript)")
    #expect(run.transcript.contains("warning: D wins"), "\(run.transcript)")
    #expect(run.transcript.contains("at the end of the run"), "\(run.transcript)")
  }
}

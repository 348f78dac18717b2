import Foundation
import TestSupport
import Testing

/// gan-dist as its users start it.
@Suite(.serialized) struct TrainCommandTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  private func train(ranks: Int, _ arguments: String..., in folder: URL? = nil) throws -> Command {
    try Command.mpirun(ranks: ranks, program, arguments, in: folder)
  }

  private func text(_ name: String) throws -> String {
    try String(contentsOf: scratch.url(name), encoding: .utf8)
  }

  @Test func aRunLeavesItsFolder() throws {
    let job = try train(
      ranks: 2, "--epochs", "3", "--batch-size", "20000", "--sample-every", "2", "--out",
      scratch.path("run"))
    try #require(job.status == 0, "\(job.transcript)")
    for name in [
      "config.json", "metrics.csv", "log.txt", "samples/epoch_0000.png", "samples/epoch_0002.png",
      "samples/epoch_0003.png", "plots/losses.png", "plots/interpolation.png",
    ] {
      let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path("run/" + name))
      #expect((attributes[.size] as? Int ?? 0) > 100, "\(name)")
    }
    #expect(!FileManager.default.fileExists(atPath: scratch.path("run/samples/epoch_0001.png")))

    let rows = try text("run/metrics.csv").split(separator: "\n").map { $0.split(separator: ",") }
    #expect(rows.count == 4)
    #expect(rows[0].joined(separator: ",").hasPrefix("epoch,steps,loss_d [nats],loss_g [nats],"))
    #expect(rows.dropFirst().map { $0[0] } == ["1", "2", "3"])
    #expect(rows.dropFirst().allSatisfy { $0.count == rows[0].count && $0[1] == "3" })
    #expect(rows.dropFirst().allSatisfy { $0.allSatisfy { Double($0)?.isFinite == true } })

    let config = try JSONSerialization.jsonObject(
      with: Data(contentsOf: scratch.url("run/config.json")))
    let training = try #require((config as? [String: Any])?["training"] as? [String: Any])
    #expect(training["batchSize"] as? Int == 20_000)
    #expect(training["learningRate"] as? Double == 1e-4)
    #expect(training["precision"] as? String == "float32")

    // On standard output: what runs where, then plain lines, as nobody watches a file.
    for part in [
      "2 ranks on", "Open MPI", "libxsmm", "FashionMNIST, 60,000 images of 28 x 28", "Ankle boot",
      "3 an epoch, of 20000 images", "G 576,912 parameters, D 533,505 parameters",
      "D's probability that five images of the untrained G are real:", "epoch 1/3  loss D ",
      "epoch 3/3", "done: 9 steps",
    ] { #expect(job.output.contains(part), "\(part)") }
    #expect(!job.output.contains("\r\u{1B}") && !job.output.contains("\u{1B}[K"))
    #expect(try text("run/log.txt").contains("epoch 3/3"))
  }

  @Test func withoutASubcommandItTrains() throws {
    let options = ["--max-steps", "1", "--seed", "4", "--quiet"]
    let plain = try Command.run([program] + options + ["--out", scratch.path("a")])
    let named = try Command.run([program, "train"] + options + ["--out", scratch.path("b")])
    #expect(plain.status == 0 && named.status == 0, "\(plain.transcript)\(named.transcript)")
    func losses(_ name: String) throws -> [Substring] {
      Array(try text(name + "/metrics.csv").split(separator: "\n")[1].split(separator: ",")[2...5])
    }
    #expect(try losses("a") == losses("b"))
  }

  @Test func quietSaysNothing() throws {
    let job = try train(ranks: 2, "--max-steps", "1", "--quiet", "--out", scratch.path("run"))
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.isEmpty && job.errors.isEmpty, "\(job.transcript)")
    #expect(try text("run/log.txt").contains("done: 1 step"))
  }

  @Test func verboseSaysWhereRanksAre() throws {
    let job = try train(ranks: 2, "--max-steps", "1", "--verbose", "--out", scratch.path("run"))
    #expect(job.output.contains("rank 1 on "), "\(job.transcript)")
    #expect(job.output.contains("wrote \(scratch.path("run"))/plots/losses.png"))
  }

  @Test func theDefaultFolderIsNewAndUnderRuns() throws {
    let job = try Command.run([program, "--max-steps", "0", "--quiet"], in: scratch.folder)
    #expect(job.status == 0, "\(job.transcript)")
    let runs = try FileManager.default.contentsOfDirectory(atPath: scratch.path("runs"))
    #expect(runs.count == 1 && runs[0].hasPrefix("20"))
  }

  @Test func theBatchMayGrowWithTheRanks() throws {
    let job = try train(
      ranks: 3, "--max-steps", "1", "--batch-size-per-rank", "5", "--out", scratch.path("run"))
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("of 15 images, "))
  }

  /// Without mpirun there is neither a daemon to start nor a network to be had.
  @Test(.enabled(if: Machine.makesNetworks, "needs network namespaces"))
  func oneRankNeedsNeitherLauncherNorNetwork() throws {
    let unshare = ["unshare", "--user", "--map-root-user", "--net"]
    let job = try Command.run(
      unshare + [program, "--max-steps", "1", "--out", scratch.path("run")],
      environment: ["OPAL_PREFIX": "", "PATH": "/usr/bin:/bin"])
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("1 rank on"))
  }

  /// Where ranks cannot share the data set each keeps its own, and the log says why; the result is the same.
  @Test(.enabled(if: Machine.mountsMemory, "needs mount namespaces"))
  func tooLittleSharedMemoryIsAWarning() throws {
    let unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    let options = ["--max-steps", "2", "--batch-size", "512"]
    let small = "mount -t tmpfs -o size=40m tmpfs /dev/shm && exec \"$@\""
    let alone = try Command.run(
      unshare + ["sh", "-c", small, "sh", "mpirun", "--oversubscribe", "-np", "2", program]
        + options + ["--out", scratch.path("alone")])
    #expect(alone.status == 0, "\(alone.transcript)")
    let warning = "gan-dist: warning: each of 2 ranks keeps the data set by itself: "
    #expect(alone.errors.contains(warning), "\(alone.transcript)")
    #expect(alone.errors.contains("/dev/shm has "))
    #expect(try text("alone/log.txt").contains("keeps the data set by itself"))

    let together = try Command.mpirun(
      ranks: 2, program, options + ["--out", scratch.path("together")])
    #expect(together.status == 0 && together.errors.isEmpty, "\(together.transcript)")
    func losses(_ name: String) throws -> [Substring] {
      Array(try text(name + "/metrics.csv").split(separator: "\n")[1].split(separator: ",")[2...5])
    }
    #expect(try losses("alone") == losses("together"))
  }

  /// On a terminal the line of progress is drawn again and again, cut to its width.
  @Test func aTerminalGetsALiveLine() throws {
    let command =
      "stty cols 60; mpirun --oversubscribe -np 2 \(program) --max-steps 200 --out \(scratch.path("run"))"
    let job = try Command.run(["script", "-qec", command, "/dev/null"])
    #expect(job.status == 0, "\(job.transcript)")
    let drawn = job.output.components(separatedBy: "\r").filter { $0.hasSuffix("\u{1B}[K") }
    #expect(drawn.contains { $0.hasPrefix("epoch   1/100 ") }, "\(job.transcript)")
    #expect(drawn.allSatisfy { $0.count <= 60 + 3 })
  }

  @Test func helpTeaches() throws {
    let job = try train(ranks: 2, "train", "--help")
    #expect(job.status == 0)
    for option in [
      "--data", "--out", "--epochs", "--max-steps", "--batch-size", "--batch-size-per-rank",
      "--learning-rate", "--beta1", "--beta2", "--label-smoothing", "--dropout", "--seed",
      "--precision", "--sample-every", "--threads", "--trace", "--quiet", "--verbose",
      "mpirun -np 4 gan-dist",
    ] { #expect(job.output.contains(option), "\(option)") }
    // From one rank only.
    #expect(job.output.components(separatedBy: "USAGE:").count == 2)
  }

  @Test func versionIsToldOnce() throws {
    let job = try train(ranks: 2, "--version")
    #expect(job.status == 0 && job.output.hasPrefix("gan-dist "))
    #expect(job.output.split(separator: "\n").count == 1)
  }
}

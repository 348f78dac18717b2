import Foundation
import TestSupport
import Testing

/// The scripts of launch/ and a cluster on one machine.
@Suite(.serialized) struct LaunchTests {
  private func script(_ name: String) -> String {
    Repository.folder.appendingPathComponent(name).path
  }

  /// Three hosts of network namespaces with 2, 1 and 1 ranks: the losses of four ranks on one host, and gradients on
  /// the links.
  @Test(.enabled(if: Machine.makesHosts, "needs network namespaces"))
  func threeHostsLearnWhatOneLearns() throws {
    let job = try Command.run(
      [script("Tests/cluster/three-hosts.sh"), BuiltProgram.path("gan-dist")], timeLimit: 150)
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("three-hosts: passed"))
    print(job.output)
  }

  /// Hosts that cannot reach each other, or have a network of their own that looks like one of all: no start hangs.
  @Test(.enabled(if: Machine.makesHosts, "needs network namespaces"))
  func hostsThatDoNotMeetSaySo() throws {
    let job = try Command.run(
      [script("Tests/cluster/lost-networks.sh"), BuiltProgram.path("gan-dist")], timeLimit: 200)
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("lost-networks: passed"))
  }

  /// A rank that hangs before it has started MPI.
  @Test func aRankThatNeverStartsIsNoticed() throws {
    let scratch = try TemporaryFolder()
    let job = try Command.run(
      [
        "mpirun", "--oversubscribe", "-np", "2", BuiltProgram.path("gan-dist"), "--stall-timeout",
        "2", "--out", scratch.path("run"), ":", "-np", "1", "sleep", "100",
      ], timeLimit: 60)
    #expect(job.status == 75, "\(job.transcript)")
    #expect(job.seconds < 40)
    for rank in 0..<2 { #expect(job.errors.contains("(rank \(rank) on ")) }
    #expect(job.errors.contains("not all of the 3 ranks have started MPI within 5 s"))
    #expect(!FileManager.default.fileExists(atPath: scratch.path("run")))
  }

  @Test func aHostfileMustBeThere() throws {
    let job = try Command.run([script("launch/cluster"), "/nonexistent/hosts"])
    #expect(job.status == 66)
    #expect(job.errors.contains("/nonexistent/hosts"))
  }

  @Test func aHostfileMustNameHosts() throws {
    let scratch = try TemporaryFolder()
    try Data("# nobody\n".utf8).write(to: scratch.url("hosts"))
    let job = try Command.run([script("launch/cluster"), scratch.path("hosts")])
    #expect(job.status == 64)
    #expect(job.errors.contains("names no host"))
  }

  /// The hostfile of the README trains on this machine.
  @Test func theLocalHostfileTrains() throws {
    let scratch = try TemporaryFolder()
    let job = try Command.run(
      [
        script("launch/cluster"), script("hostfiles/localhost"), "--max-steps", "2", "--out",
        scratch.path("run"),
      ], environment: ["GAN_DIST_PROGRAM": BuiltProgram.path("gan-dist")])
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("4 ranks on"))
  }

  /// fetch-data takes what its server has only if it is what was published, and leaves no half file.
  @Test func fetchedDataAreVerified() throws {
    let scratch = try TemporaryFolder()
    let (server, target) = (scratch.url("server"), scratch.path("data"))
    try FileManager.default.copyItem(
      at: URL(fileURLWithPath: "/usr/share/datasets/fashion-mnist"), to: server)
    let address = ["FASHION_MNIST_URL": "file://\(server.path)/"]
    let good = try Command.run([script("launch/fetch-data"), target], environment: address)
    #expect(good.status == 0, "\(good.transcript)")
    let names = try FileManager.default.contentsOfDirectory(atPath: target).sorted()
    #expect(names.count == 4 && names.allSatisfy { $0.hasSuffix("ubyte.gz") })

    let labels = server.appendingPathComponent("train-labels-idx1-ubyte.gz")
    try Data(contentsOf: labels).prefix(1000).write(to: labels)
    let broken = scratch.path("broken")
    let bad = try Command.run([script("launch/fetch-data"), broken], environment: address)
    #expect(bad.status == 65, "\(bad.transcript)")
    let left = try FileManager.default.contentsOfDirectory(atPath: broken)
    #expect(!left.contains { $0.contains("train-labels") || $0.hasSuffix(".part") })
  }

  /// fetch-data keeps nothing of what is far too large.
  @Test(arguments: [false, true])
  func whatIsTooLargeIsNotFetched(isEndless: Bool) throws {
    let scratch = try TemporaryFolder()
    let (server, target) = (scratch.url("server"), scratch.path("data"))
    try FileManager.default.createDirectory(at: server, withIntermediateDirectories: false)
    let images = server.appendingPathComponent("train-images-idx3-ubyte.gz").path
    if isEndless {
      #expect(symlink("/dev/zero", images) == 0)
    } else {
      #expect(try Command.run(["truncate", "--size", "2T", images]).status == 0)
    }
    let job = try Command.run(
      ["bash", "-c", "ulimit -f 200000; exec \"$@\"", "bash", script("launch/fetch-data"), target],
      environment: ["FASHION_MNIST_URL": "file://\(server.path)"])
    #expect(job.status == 65, "\(job.transcript)")
    #expect(job.errors.contains("has more than 67108864 bytes"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: target) == [])
  }

  @Test func secureServersComeFirst() throws {
    let text = try String(contentsOfFile: script("launch/fetch-data"), encoding: .utf8)
    let addresses = text.split(separator: "\n").map { $0.drop { $0 == " " } }
      .filter { $0.hasPrefix("http") }
    #expect(addresses.count > 1 && addresses[0].hasPrefix("https://"))
    let plain = addresses.firstIndex { $0.hasPrefix("http://") } ?? addresses.endIndex
    #expect(addresses[plain...].allSatisfy { $0.hasPrefix("http://") })
  }

  /// What a killed download left goes; what another one is writing, and anything else, stays.
  @Test func whatAKilledDownloadLeftIsRemoved() throws {
    let scratch = try TemporaryFolder()
    let job = try Command.run(
      [
        "bash", "-c",
        """
        touch -d '2 hours ago' download.abcdef.part download.notes.txt &&
        touch download.ghijkl.part && ! "$0" "$PWD" && ls
        """, script("launch/fetch-data"),
      ], environment: ["FASHION_MNIST_URL": "file:///nonexistent"], in: scratch.folder)
    #expect(job.output == "download.ghijkl.part\ndownload.notes.txt\n", "\(job.transcript)")
  }
}

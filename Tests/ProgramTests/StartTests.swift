import Foundation
import Matrices
import TestSupport
import Testing

/// A run goes on exactly, or is refused before anything is touched.
@Suite(.serialized) struct StartTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder
  /// Two epochs of 100 steps.
  private let common: [String]

  init() throws {
    scratch = try TemporaryFolder()
    try SmallDataSet.write(to: scratch.url("data"))
    common = [
      "--data", scratch.path("data"), "--batch-size", "20", "--epochs", "2", "--threads", "1",
    ]
  }

  // MARK: Helpers

  @discardableResult
  private func begin(
    _ run: String = "run", _ options: [String] = ["--max-steps", "30"],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Command {
    try start(
      common + ["--quiet", "--out", scratch.path(run)] + options, expecting: 0,
      sourceLocation: sourceLocation)
  }

  @discardableResult
  private func start(
    ranks: Int = 1, _ options: [String], expecting status: Int32, says parts: String...,
    environment: [String: String] = [:], in folder: URL? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Command {
    let job =
      ranks == 1
      ? try Command.run(
        [program] + options, environment: environment, timeLimit: 60, in: folder)
      : try Command.mpirun(
        ranks: ranks, program, options, environment: environment, timeLimit: 60, in: folder)
    #expect(job.status == status, "\(job.transcript)", sourceLocation: sourceLocation)
    for part in parts {
      #expect(
        (job.output + job.errors).components(separatedBy: part).count == 2,
        "\"\(part)\" once in \(job.transcript)", sourceLocation: sourceLocation)
    }
    return job
  }

  /// Everything below a folder: names, kinds, rights, content (but of a lock, which tells who had
  /// it last).
  private func snapshot(_ folder: String = "") throws -> String {
    let command = """
      cd \(scratch.path(folder)) && { find . -printf '%p %y %m %l\\n'; find . -type f ! -name run.lock \\
        -exec sha256sum {} +; } | LC_ALL=C sort
      """
    let job = try Command.run(["bash", "-c", command])
    try #require(job.status == 0, "\(job.transcript)")
    return job.output
  }

  /// A start that is refused, and leaves everything as it was.
  private func refused(
    ranks: Int = 1, _ options: [String], status: Int32, says part: String,
    environment: [String: String] = [:], in folder: URL? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try snapshot()
    try start(
      ranks: ranks, options, expecting: status, says: part, environment: environment, in: folder,
      sourceLocation: sourceLocation)
    #expect(try snapshot() == before, sourceLocation: sourceLocation)
  }

  private func checkpoint(_ run: String, step: Int) -> String {
    scratch.path(run + "/checkpoints/step_" + String(format: "%08d", step) + ".safetensors")
  }

  private func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: scratch.path(path))
  }

  /// The columns epoch and steps of a run's table.
  private func epochs(_ run: String = "run") throws -> [String] {
    try String(contentsOf: scratch.url(run + "/metrics.csv"), encoding: .utf8)
      .split(separator: "\n").dropFirst().map {
        $0.split(separator: ",").prefix(2).joined(separator: ",")
      }
  }

  private func resume(_ run: String = "run", _ options: String...) -> [String] {
    ["--resume", "latest", "--out", scratch.path(run)] + options
  }

  private func link(_ path: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path(path), withDestinationPath: target)
  }

  private func move(_ path: String, to target: String) throws {
    try FileManager.default.moveItem(at: scratch.url(path), to: scratch.url(target))
  }

  // MARK: Refused starts

  /// Also from an earlier checkpoint, for which later ones would have to be set aside.
  @Test(
    arguments: [
      (["--batch-size", "30"], 64, "--batch-size is 30, but the run was begun with 20"),
      (["--data", "/nonexistent/data"], 66, "/nonexistent/data: no such folder"),
      (["--data", "/usr/share/datasets/fashion-mnist"], 64, "--data is another data set"),
      (["--batch-size", "2001", "--override"], 64, "more than the 2000 images"),
      (["--epochs", "4294967296"], 64, "more than the 2^32 steps"),
      (["--trace", "/nonexistent/trace.json"], 73, "/nonexistent/trace.json"),
    ] as [([String], Int32, String)])
  func aRefusedResumeTouchesNothing(option: [String], status: Int32, says: String) throws {
    try begin("run", ["--max-steps", "30", "--checkpoint-every-steps", "10"])
    for source in ["latest", checkpoint("run", step: 20)] {
      try refused(
        ranks: 2, ["--resume", source, "--out", scratch.path("run")] + option, status: status,
        says: says)
    }
    try refused(
      ["--resume", checkpoint("run", step: 20), "--out", scratch.path("new/run")] + option,
      status: status, says: says)
  }

  @Test(
    arguments: [
      (["--data", "/nonexistent/data"], 66), (["--batch-size", "2001"], 64),
      (["--resume", "/nonexistent/step_00000001.safetensors"], 66),
      (["--trace", "/nonexistent/trace.json"], 73),
    ] as [([String], Int32)])
  func aRefusedStartLeavesNoFolder(option: [String], status: Int32) throws {
    let data = option[0] == "--data" ? [] : ["--data", scratch.path("data")]
    try refused(
      ranks: 2, data + option + ["--out", scratch.path("new/deep/run")], status: status,
      says: "gan-dist: error")
    // The default folder.
    try refused(
      data + option, status: status, says: "gan-dist: error", in: scratch.folder)
  }

  /// A processor that cannot do what the run needs is found before the disk is touched.
  @Test(.enabled(if: Machine.multipliesBFloat16, "needs AVX-512 BF16"))
  func aProcessorThatCannotGoOnTouchesNothing() throws {
    try begin("run", ["--max-steps", "30", "--precision", "bfloat16"])
    try refused(
      ranks: 2, resume("run", "--max-steps", "40"), status: 64, says: "--precision bfloat16 needs",
      environment: ["LIBXSMM_TARGET": "hsw"])
  }

  /// Two starts of one folder: one has it, the other leaves no trace.
  @Test func oneOfManyStartsGetsTheFolder() throws {
    let command = """
      for i in 1 2 3 4; do
        { \(program) --data \(scratch.path("data")) --max-steps 3 --quiet --threads 1 \\
          --out \(scratch.path("a/b/run")); echo $?; } &
      done
      wait
      """
    let job = try Command.run(["bash", "-c", command])
    #expect(
      job.output.split(separator: "\n").sorted() == ["0", "73", "73", "73"], "\(job.transcript)")
    #expect(try epochs("a/b/run") == ["1,3"])
  }

  @Test func startsOfTheSameSecondGetFoldersOfTheirOwn() throws {
    let command = """
      for i in 1 2 3 4 5; do
        { \(program) --data \(scratch.path("data")) --max-steps 1 --quiet --threads 1; echo $?; } &
      done
      wait
      """
    let job = try Command.run(["bash", "-c", command], in: scratch.folder)
    #expect(job.output.split(separator: "\n") == ["0", "0", "0", "0", "0"], "\(job.transcript)")
    let runs = try FileManager.default.contentsOfDirectory(atPath: scratch.path("runs"))
    #expect(runs.count == 5, "\(runs)")
  }

  // MARK: "Cannot look" is not "is not there"

  @Test(arguments: ["a file", "a link to nothing", "a link to itself", "moved away", "empty"])
  func aRunWithoutItsCheckpointsIsNotBegunAnew(what: String) throws {
    try begin()
    try move("run/checkpoints", to: "elsewhere")
    switch what {
    case "a file": try Data().write(to: scratch.url("run/checkpoints"))
    case "a link to nothing": try link("run/checkpoints", to: "/nonexistent/folder")
    case "a link to itself": try link("run/checkpoints", to: "checkpoints")
    case "empty":
      try FileManager.default.createDirectory(
        at: scratch.url("run/checkpoints"), withIntermediateDirectories: false)
    default: break
    }
    let reasons = [
      "a file": "Not a directory", "a link to nothing": "No such file or directory",
      "a link to itself": "Too many levels of symbolic links", "moved away": "there is no ",
      "empty": "no checkpoint is in ",
    ]
    let reason = try #require(reasons[what])
    try refused(ranks: 2, resume(), status: 66, says: reason)
    try refused(["--resume", scratch.path("run")], status: 66, says: "gan-dist: error")
    try refused(
      common + ["--out", scratch.path("run")], status: 73, says: "gan-dist: error: cannot write ")
  }

  @Test func aFolderThatCannotBeLookedIntoIsNoNewRun() throws {
    try link("loop", to: "loop")
    try link("nowhere", to: "/nonexistent/folder")
    try Data().write(to: scratch.url("file"))
    let long = String(repeating: "n", count: 300)
    for name in ["loop", "nowhere", "file", "file/run", long] {
      try refused(common + ["--out", scratch.path(name)], status: 73, says: "cannot write ")
      try refused(
        common + ["--resume", "latest", "--out", scratch.path(name)],
        status: 66, says: "cannot go on from ")
    }
    try refused(common + ["--resume", scratch.path("absent")], status: 66, says: "absent")
  }

  /// A link that leads nowhere may be a checkpoint on a disk that is not there now.
  @Test(arguments: ["/nonexistent/step.safetensors", "step_00000040.safetensors"])
  func aNewestCheckpointThatCannotBeReadIsNotDamaged(target: String) throws {
    try begin()
    try link("run/checkpoints/step_00000040.safetensors", to: target)
    try refused(resume("run", "--max-steps", "50"), status: 66, says: "step_00000040.safetensors")
  }

  @Test func aStrangersFilesAreLeftAlone() throws {
    try begin()
    let folder = scratch.path("run/checkpoints")
    let files = [
      "step_abc.safetensors", "step_5.safetensors", "step_+0000099.safetensors",
      "step_99999999999999999999.safetensors", "step_00000099.safetensors.part", "notes.txt",
      String(repeating: "x", count: 255),
    ]
    for name in files { try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/" + name)) }
    let made = try Command.run([
      "bash", "-c",
      "cd \(folder) && mkdir step_00000099.safetensors && mkfifo step_00000098.safetensors && "
        + "echo x > $'step_\\xff0000001.safetensors'",
    ])
    try #require(made.status == 0, "\(made.transcript)")
    func strangers() throws -> [Substring] {
      let own = ["00", "30", "20", "40"].map { "step_000000\($0).safetensors" }
      return try snapshot("run/checkpoints").split(separator: "\n").filter { line in
        !own.contains { line.contains($0) } && !line.hasPrefix(". ")
      }
    }
    let before = try strangers()
    try #require(before.count > 2 * files.count)
    let job = try start(
      resume("run", "--max-steps", "40", "--keep-checkpoints", "1"), expecting: 0,
      says: "goes on after step 30")
    #expect(job.errors.isEmpty, "\(job.transcript)")
    #expect(try strangers() == before)
    #expect(exists("run/checkpoints/step_00000040.safetensors"))
    #expect(!exists("run/checkpoints/step_00000030.safetensors"))
  }

  /// A copy under another name is not the step that its name tells.
  @Test func aCheckpointOfAnotherStepIsPassedOver() throws {
    try begin()
    try FileManager.default.copyItem(
      atPath: checkpoint("run", step: 0), toPath: checkpoint("run", step: 99))
    try start(
      resume("run", "--max-steps", "40"), expecting: 0, says: "goes on after step 30",
      "is of step 0, not of the step of its name")
  }

  /// What cannot be written is found before anything is set aside.
  @Test(arguments: ["config.json", "metrics.csv", "samples", "log.txt", "run.lock", "plots"])
  func aRunFolderThatCannotBeWrittenToStaysAsItIs(name: String) throws {
    try begin("run", ["--max-steps", "40", "--checkpoint-every-steps", "10"])
    try move("run/\(name)", to: "kept")
    if name.contains(".") {
      try FileManager.default.createDirectory(
        at: scratch.url("run/\(name)/inside"), withIntermediateDirectories: true)
    } else {
      try Data().write(to: scratch.url("run/\(name)"))
    }
    try refused(
      ranks: 2, ["--resume", checkpoint("run", step: 20), "--max-steps", "50"], status: 73,
      says: "cannot write \(scratch.path("run/" + name)): ")
  }

  // MARK: As another user

  /// Root may read and remove everything.
  private static let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
  private static var canBeNobody: Bool {
    let program = BuiltProgram.path("gan-dist")
    return (try? Command.run(nobody + ["test", "-x", program]).status == 0) == true
  }

  /// Everything is nobody's; the command is root's.
  private func asNobody(
    after command: String, _ options: [String], expecting status: Int32, says part: String,
    changesNothing: Bool = true
  ) throws {
    let prepared = try Command.run([
      "bash", "-c", "cd \(scratch.folder.path) && chown -R 65534:65534 . && \(command)",
    ])
    try #require(prepared.status == 0, "\(prepared.transcript)")
    let before = try snapshot()
    let job = try Command.run(Self.nobody + [program] + options, timeLimit: 60)
    #expect(job.status == status, "\(job.transcript)")
    #expect(
      job.errors.components(separatedBy: part).count == 2, "\"\(part)\" in \(job.transcript)")
    if changesNothing { #expect(try snapshot() == before) }
  }

  @Test(
    .enabled(if: canBeNobody),
    arguments: [
      ("chmod 000 run/checkpoints", 66), ("chmod 311 run/checkpoints", 66),
      ("chmod 000 run/checkpoints/step_00000030.safetensors", 66), ("chmod 000 run", 66),
      ("chown -R root run && chmod 755 run", 73), ("chmod 555 run", 73),
    ] as [(String, Int32)])
  func whatMayNotBeReadIsNotDamaged(command: String, status: Int32) throws {
    try begin()
    try asNobody(
      after: command, resume("run", "--max-steps", "40"), expecting: status,
      says: "Permission denied")
  }

  /// In a folder with the sticky bit a file can be renamed or removed by its owner only.
  @Test(.enabled(if: canBeNobody)) func aCheckpointThatCannotBeSetAsideIsARefusal() throws {
    try begin(
      "run", ["--max-steps", "40", "--checkpoint-every-steps", "10", "--keep-checkpoints", "9"])
    try asNobody(
      after: """
        chown root run/checkpoints run/checkpoints/step_00000020.safetensors && chmod 1777 run/checkpoints
        """,
      ["--resume", checkpoint("run", step: 10), "--max-steps", "50"], expecting: 73,
      says: "cannot write \(checkpoint("run", step: 20)): Operation not permitted")
  }

  @Test(.enabled(if: canBeNobody)) func aFlightRecordThatCannotBeSetAsideIsARefusal() throws {
    try begin(
      "run", ["--max-steps", "40", "--checkpoint-every-steps", "10", "--keep-checkpoints", "9"])
    try asNobody(
      after: "chown root run run/flight-record && chmod 1777 run",
      ["--resume", checkpoint("run", step: 10), "--max-steps", "50"], expecting: 73,
      says: "cannot write \(scratch.path("run/flight-record")): Operation not permitted")
  }

  @Test(.enabled(if: canBeNobody)) func aCheckpointThatCannotBeRemovedIsToldOfOnce() throws {
    try begin()
    try asNobody(
      after: """
        chown root run/checkpoints run/checkpoints/step_00000000.safetensors && chmod 1777 run/checkpoints
        """,
      resume(
        "run", "--max-steps", "60", "--checkpoint-every-steps", "10", "--keep-checkpoints", "2"),
      expecting: 0, says: "old checkpoints stay: cannot remove", changesNothing: false)
    #expect(exists("run/checkpoints/step_00000000.safetensors"))
    #expect(!exists("run/checkpoints/step_00000030.safetensors"))
  }

  // MARK: Set aside

  /// What was set aside before stays: the second past gets a name of its own.
  @Test func twoPastsAreSetAsideSideBySide() throws {
    try begin("run", ["--max-steps", "20", "--checkpoint-every-steps", "10"])
    for seed in ["1", "2"] {
      try start(
        [
          "--resume", checkpoint("run", step: 10), "--max-steps", "20", "--override", "--seed",
          seed, "--quiet",
        ], expecting: 0)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path("run/checkpoints"))
    #expect(names.contains("step_00000020.safetensors"))
    #expect(names.contains("step_00000020.safetensors.abandoned"))
    #expect(names.contains("step_00000020.safetensors.abandoned_2"), "\(names)")
    // Also a checkpoint of the same step that is of another past.
    try start(
      [
        "--resume", checkpoint("run", step: 20) + ".abandoned", "--max-steps", "21", "--quiet",
      ], expecting: 0)
    #expect(exists("run/checkpoints/step_00000020.safetensors.abandoned_3"))
    #expect(exists("run/checkpoints/step_00000021.safetensors"))
  }

  // MARK: Other data

  /// Fewer images, more, as many: the epoch that is not over ends where it is, and the next one has
  /// the new data only.
  @Test(arguments: [1000, 3000, 1990])
  func anEpochEndsWhereTheDataChange(images: Int) throws {
    try begin("run", ["--max-steps", "130"])
    try SmallDataSet.write(to: scratch.url("other"), imageCount: images)
    let goOn = resume("run", "--data", scratch.path("other"), "--quiet")
    try refused(goOn + ["--epochs", "4"], status: 64, says: "add --override")
    // No step would be left, and none is no way to go on.
    try refused(goOn + ["--override"], status: 64, says: "no step is left")
    try refused(goOn + ["--override", "--max-steps", "999"], status: 64, says: "no step is left")
    try start(ranks: 2, goOn + ["--override", "--epochs", "4"], expecting: 0)
    #expect(try epochs() == ["1,100", "2,30", "3,\(images / 20)", "4,\(images / 20)"])
    // From then on these are the run's data.
    try start(resume("run", "--epochs", "5"), expecting: 0)
    #expect(try epochs().last == "5,\(images / 20)")
  }

  // MARK: Settings of the run

  @Test func theRunRemembersItsDataAndItsLimit() throws {
    // Relative to where it was begun.
    try start(
      ["--data", "data", "--batch-size", "20", "--epochs", "2", "--max-steps", "60"]
        + ["--checkpoint-every-steps", "30", "--quiet", "--out", "run"], expecting: 0,
      in: scratch.folder)
    let goOn = ["--resume", checkpoint("run", step: 30), "--out", scratch.path("fork")]
    try start(goOn, expecting: 0, says: "goes on after step 30")
    #expect(try epochs("fork") == ["1,60"])
    // At its limit there is nothing to do, and it says what would be more.
    try start(resume("fork"), expecting: 0, says: "no step is left after step 60")
    #expect(try epochs("fork") == ["1,60"])
    // Another end is another word: the limit that was reached has done its work.
    try start(resume("fork", "--epochs", "2", "--quiet"), expecting: 0)
    #expect(try epochs("fork") == ["1,100", "2,100"])
  }

  @Test func theDataOfTheRunAreFoundElsewhereOrMissed() throws {
    try begin("run")
    try move("data", to: "moved")
    let goOn = resume("run", "--max-steps", "40")
    try refused(goOn, status: 66, says: "data: no such folder")
    let job = try start(
      goOn, expecting: 0, says: "The same data are in",
      environment: ["GAN_DIST_DATA": scratch.path("moved")])
    #expect(job.errors.contains("no such folder"), "\(job.transcript)")
    // Now it knows where they are.
    try start(resume("run", "--max-steps", "50", "--quiet"), expecting: 0)
    // Other data in their place are not taken for them.
    try SmallDataSet.write(to: scratch.url("moved"), imageCount: 1000)
    try refused(resume("run", "--max-steps", "60"), status: 66, says: "holds another data set now")
  }

  /// The usual data of the machine do not win over those of the run.
  @Test func theDataOfTheRunComeBeforeTheUsualOnes() throws {
    try begin()
    try SmallDataSet.write(to: scratch.url("other"), imageCount: 1000)
    let job = try start(
      resume("run", "--max-steps", "40"), expecting: 0,
      environment: ["GAN_DIST_DATA": scratch.path("other")])
    #expect(job.output.contains("2,000 images"), "\(job.transcript)")
  }

  @Test func theBatchOfARankIsToldInItsOwnWords() throws {
    try start(
      ranks: 2,
      [
        "--data", scratch.path("data"), "--batch-size-per-rank", "32", "--max-steps", "2",
        "--quiet", "--out", scratch.path("run"),
      ], expecting: 0)
    let options = resume("run", "--batch-size-per-rank", "32", "--max-steps", "4", "--quiet")
    try refused(
      options, status: 64, says: "32 a rank x 1 rank = 32; the run was begun with 64 in all")
    try start(ranks: 2, options, expecting: 0)
  }

  // MARK: From where to where

  @Test(arguments: ["run", "run/", "run/checkpoints", "run/checkpoints/", "./run/../run"])
  func aFolderMeansItsLatestCheckpoint(folder: String) throws {
    try begin()
    try start(
      ["--resume", folder, "--max-steps", "40"], expecting: 0, says: "goes on after step 30",
      in: scratch.folder)
    #expect(exists("run/checkpoints/step_00000040.safetensors"))
    try start(
      ["--resume", folder, "--max-steps", "50", "--out", "fork"], expecting: 0,
      says: "goes on after step 40", in: scratch.folder)
    #expect(exists("fork/checkpoints/step_00000050.safetensors"))
    #expect(!exists("run/checkpoints/step_00000050.safetensors"))
    #expect(!exists("runs"))
  }

  @Test(arguments: [
    ("run", "."), ("run/checkpoints", "."), ("run/checkpoints", "step_00000030.safetensors"),
    ("run", "checkpoints/step_00000030.safetensors"), ("run/samples", ".."),
  ])
  func aPathIsTakenFromWhereOneIs(folder: String, path: String) throws {
    try begin()
    try start(
      ["--resume", path, "--max-steps", "40", "--quiet"], expecting: 0, in: scratch.url(folder))
    #expect(exists("run/checkpoints/step_00000040.safetensors"))
  }

  @Test func checkpointsWithoutARunAroundThemBeginARun() throws {
    try begin()
    try move("run/checkpoints", to: "kept")
    try start(
      ["--resume", scratch.path("kept"), "--max-steps", "40", "--out", scratch.path("new")],
      expecting: 0, says: "goes on after step 30")
    #expect(exists("new/checkpoints/step_00000030.safetensors"))
    try FileManager.default.createDirectory(
      at: scratch.url("bare"), withIntermediateDirectories: false)
    try refused(["--resume", scratch.path("bare")], status: 66, says: "bare")
  }

  /// From the first moment the new folder has what `--resume latest` goes on from.
  @Test func aRunInANewFolderHasACheckpointAtOnce() throws {
    try begin()
    try start(
      [
        "--resume", checkpoint("run", step: 30), "--out", scratch.path("fork"), "--max-steps", "31",
        "--quiet",
      ], expecting: 0)
    #expect(exists("fork/checkpoints/step_00000030.safetensors"))
    let sums = try ["run", "fork"].map {
      try Command.run([program, "inspect", "--digest", checkpoint($0, step: 30)]).output
    }
    #expect(sums[0].count == 65 && sums[0] == sums[1])
  }

  /// A start that failed before its first checkpoint left nothing that would be lost.
  @Test func aFolderThatHoldsNoRunMayBeBegunIn() throws {
    try FileManager.default.createDirectory(
      at: scratch.url("run/checkpoints"), withIntermediateDirectories: true)
    try Data("before\n".utf8).write(to: scratch.url("run/log.txt"))
    try Data("process 1 on node1".utf8).write(to: scratch.url("run/run.lock"))
    try start(
      common + resume("run", "--max-steps", "3"), expecting: 0,
      says: "has no checkpoint to go on from")
    #expect(
      try String(contentsOf: scratch.url("run/log.txt"), encoding: .utf8).hasPrefix("before\n"))
  }

  /// A folder is a run's from its first checkpoint on, so that a failure before that can be started
  /// again.
  @Test(.enabled(if: MountNamespace.isAvailable))
  func aRunWithoutRoomForACheckpointMayBeStartedAgain() throws {
    let command = """
      mkdir \(scratch.path("run")) && mount -t tmpfs -o size=4m none \(scratch.path("run")) || exit 99
      \(program) \(common.joined(separator: " ")) --max-steps 3 --quiet --out \(scratch.path("run")); echo $?
      ls \(scratch.path("run")) | tr '\\n' ' '
      mount -o remount,size=100m \(scratch.path("run"))
      \(program) \(common.joined(separator: " ")) --max-steps 3 --quiet --out \(scratch.path("run")); echo $?
      """
    let job = try Command.run(MountNamespace.enter + ["bash", "-c", command])
    let lines = job.output.split(separator: "\n")
    #expect(lines.first == "73" && lines.last?.hasSuffix("0") == true, "\(job.transcript)")
    #expect(!job.output.contains("config.json") && !job.output.contains("metrics.csv"))
  }

  // MARK: The hint

  private func hint(_ job: Command) throws -> String {
    let line = try #require(
      job.output.split(separator: "\n").first { $0.contains("to go on: ") }, "\(job.transcript)")
    return String(line.components(separatedBy: "to go on: ")[1])
  }

  /// Stops a job after its first step, and pastes what it says: it goes on to the limit that was
  /// set, without a further word.
  private func stopAndPaste(_ start: String, folder: String = "a 'quoted' & $folder") throws {
    let out = "'" + folder.replacingOccurrences(of: "'", with: #"'\''"#) + "'"
    let command = """
      env --default-signal=INT \(start) --data data --batch-size-per-rank 10 --epochs 30 --max-steps 400 --threads 1 \
        --checkpoint-every 0 --checkpoint-every-steps 50 --out=\(out) & job=$!
      for i in $(seq 1000); do test -e \(out)/samples/epoch_0000.png && break; sleep 0.02; done
      kill -USR1 $job
      wait $job
      """
    let stopped = try Command.run(["bash", "-c", command], timeLimit: 90, in: scratch.folder)
    let hint = try hint(stopped)
    let pasted = try Command.run(["bash", "-c", hint], timeLimit: 90, in: scratch.folder)
    #expect(pasted.status == 0, "\(hint): \(pasted.transcript)")
    #expect(exists(folder + "/generator.safetensors"), "\(hint): \(pasted.transcript)")
    #expect(exists(folder + "/checkpoints/step_00000400.safetensors"))
    #expect(exists(folder + "/checkpoints/step_00000350.safetensors"), "\(hint)")
    #expect(!exists("runs"))
  }

  @Test(arguments: ["a 'quoted' & $folder", "tab\tand\nline \\ 'x", "--resume"])
  func theHintGoesOnWithoutMpirun(folder: String) throws {
    try stopAndPaste(program, folder: folder)
  }

  @Test func theHintGoesOnWithMpirun() throws {
    try stopAndPaste("mpirun --oversubscribe -np 2 \(program) train")
  }

  @Test func theHintGoesOnWithTheLauncher() throws {
    let train = Repository.folder.appendingPathComponent("launch/train").path
    let folder = "run"
    let command = """
      env --default-signal=INT \
        \(train) -np 2 --data data --epochs 30 --max-steps 400 --threads 1 --out \(folder) & job=$!
      for i in $(seq 1000); do test -e \(folder)/samples/epoch_0000.png && break; sleep 0.02; done
      kill -TERM $job
      wait $job
      """
    let stopped = try Command.run(
      ["bash", "-c", command], environment: ["GAN_DIST_PROGRAM": program], timeLimit: 90,
      in: scratch.folder)
    let hint = try hint(stopped)
    #expect(hint.contains("launch/train -np 2 "), "\(hint)")
    let pasted = try Command.run(["bash", "-c", hint], timeLimit: 90, in: scratch.folder)
    #expect(pasted.status == 0, "\(hint): \(pasted.transcript)")
    #expect(exists("run/checkpoints/step_00000400.safetensors"), "\(hint)")
  }

  // MARK: The supervisor

  /// A job that is killed goes on from its own checkpoints, whatever it was begun from.
  @Test(arguments: ["run", "run/checkpoints/", "run/checkpoints/step_00000030.safetensors"])
  func theSupervisorGoesOnInTheSameFolder(source: String) throws {
    try begin()
    let train = Repository.folder.appendingPathComponent("launch/train").path
    let command = """
      \(train) -np 2 --restarts 3 --resume \(source) --epochs 20 --max-steps 700 \\
        --checkpoint-every-steps 50 --threads 1 & job=$!
      for i in $(seq 1000); do test -e run/checkpoints/step_00000200.safetensors && break; sleep 0.02; done
      kill -KILL $(od -An -tu4 -j20 -N4 run/flight-record/rank_0001.bin)
      wait $job
      """
    let job = try Command.run(
      ["bash", "-c", command], environment: ["GAN_DIST_PROGRAM": program], timeLimit: 120,
      in: scratch.folder)
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.errors.contains("restart 1 of 3"), "\(job.transcript)")
    #expect(exists("run/checkpoints/step_00000700.safetensors"))
    #expect(!exists("runs"))
  }

  // MARK: Memory that ranks share

  /// One rank receives for those that share the memory: on one host nobody does.
  @Test(.enabled(if: Self.hasCompiler)) func ranksDoNotReceiveIntoOneMemory() throws {
    let source = """
      #include <mpi.h>
      #include <stdio.h>
      int MPI_Bcast(void *buffer, int count, MPI_Datatype type, int root, MPI_Comm comm) {
        int size;
        MPI_Comm_size(comm, &size);
        if (size > 1 && type == MPI_FLOAT && count > 100000) fprintf(stderr, "receives %d\\n", count);
        return PMPI_Bcast(buffer, count, type, root, comm);
      }
      """
    try Data(source.utf8).write(to: scratch.url("count.c"))
    let compiled = try Command.run([
      "mpicc", "-shared", "-fPIC", "-o", scratch.path("count.so"), scratch.path("count.c"),
    ])
    try #require(compiled.status == 0, "\(compiled.transcript)")
    try begin()
    let job = try start(
      ranks: 3,
      resume("run", "--max-steps", "31", "--quiet"), expecting: 0,
      environment: ["LD_PRELOAD": scratch.path("count.so")])
    #expect(!job.errors.contains("receives "), "\(job.transcript)")
  }

  private static var hasCompiler: Bool {
    (try? Command.run(["sh", "-c", "command -v mpicc && command -v cc"]).status == 0) == true
  }
}

/// A namespace in which anybody may mount.
private enum MountNamespace {
  static let enter = ["unshare", "--user", "--map-root-user", "--mount"]
  static var isAvailable: Bool {
    (try? Command.run(enter + ["mount", "-t", "tmpfs", "none", "/mnt"]).status == 0) == true
  }
}

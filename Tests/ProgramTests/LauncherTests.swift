import Foundation
import TestSupport
import Testing

/// launch/train as somebody who looks after a job: signals, readers that go away, other MPIs, other users.
@Suite(.serialized) struct LauncherTests {
  private let scratch: TemporaryFolder

  init() throws {
    scratch = try TemporaryFolder()
    try SmallDataSet.write(to: scratch.url("data"))
  }

  private var launcher: String { Repository.folder.appendingPathComponent("launch/train").path }
  private var run: String { scratch.path("run") }

  /// Runs a script in which `"${train[@]}" OPTION…` starts two ranks on made-up data, `until_said TEXT`
  /// waits for a line of its output, and `until_gone` for the end of all that belongs to it.
  private func bash(
    _ script: String, environment: [String: String] = [:], timeLimit: Int = 90
  ) throws -> Command {
    let functions = """
      train=("\(launcher)" -np 2 --data \(scratch.path("data")) --batch-size 4 --out \(run))
      until_said() {
        for i in $(seq 600); do grep -q "$1" \(scratch.path("output")) && return; sleep 0.05; done
        echo "never said: $1"
      }
      until_gone() {
        for i in $(seq 200); do pgrep -f -- "--out \(run)" >/dev/null || return 0; sleep 0.05; done
        echo "left behind: $(pgrep -fa -- "--out \(run)")"
        pkill -KILL -f -- "--out \(run)"
      }
      : >\(scratch.path("output"))
      """
    let variables = ["GAN_DIST_PROGRAM": BuiltProgram.path("gan-dist")]
    // A file: on a command line pgrep would find the script itself.
    try Data((functions + "\n" + script + "\n").utf8).write(to: scratch.url("script"))
    return try Command.run(
      ["bash", scratch.path("script")],
      environment: variables.merging(environment) { _, new in new }, timeLimit: timeLimit)
  }

  private var isFinished: Bool {
    FileManager.default.fileExists(atPath: run + "/generator.safetensors")
  }

  /// SIGUSR1, SIGTERM and SIGHUP mean: save and stop. SIGINT does, too, but bash starts background jobs deaf to it.
  @Test(arguments: ["USR1", "TERM", "HUP"])
  func aSignalStopsTheRanksAfterACheckpoint(signal: String) throws {
    let job = try bash(
      """
      "${train[@]}" --epochs 1000000 >\(scratch.path("output")) & job=$!
      until_said "untrained G"
      kill -\(signal) $job
      wait $job; status=$?
      until_gone; exit $status
      """)
    #expect(job.status == 143, "\(job.transcript)")
    #expect(
      job.output.isEmpty && job.errors.contains("save a checkpoint first"), "\(job.transcript)")
    let said = try String(contentsOfFile: scratch.path("output"), encoding: .utf8)
    #expect(said.contains("stopped as asked"))
    #expect(!said.contains("gan-dist: job:") && !job.errors.contains("gan-dist: job:"))
    #expect(!job.errors.contains("-----"), "mpirun's own remarks: \(job.errors)")
  }

  /// Also while mpirun still starts its hosts, where it would lose the signal or end with status 0.
  @Test(arguments: [0.0, 0.03, 0.1, 0.2])
  func aSignalAtTheVeryBeginningEndsTheJob(seconds: Double) throws {
    let job = try bash(
      """
      "${train[@]}" --epochs 1000000 >\(scratch.path("output")) & job=$!
      sleep \(seconds); kill -TERM $job
      wait $job; status=$?
      until_gone; exit $status
      """)
    #expect(job.status == 143, "\(job.transcript)")
    #expect(job.output.isEmpty, "\(job.transcript)")
  }

  /// A rank that cannot stop in good order does not keep the others: the second signal ends the job at once.
  @Test func aSecondSignalEndsTheJob() throws {
    let job = try bash(
      """
      "${train[@]}" --epochs 1000000 >\(scratch.path("output")) & job=$!
      until_said "untrained G"
      kill -STOP $(pgrep -f -- "gan-dist --data.*--out \(run)" | tail -n 1)
      kill -TERM $job; sleep 0.8; kill -TERM $job
      wait $job; status=$?
      until_gone; exit $status
      """)
    #expect(job.status == 143, "\(job.transcript)")
    #expect(job.output.isEmpty, "\(job.transcript)")
  }

  /// What was started to outlive its terminal does.
  @Test func nohupIsRespected() throws {
    let job = try bash(
      """
      (trap '' HUP; "${train[@]}" --max-steps 200 >\(scratch.path("output"))) & job=$!
      until_said "untrained G"
      pkill -HUP -f -- "launch/train -np 2 --data \(scratch.path("data"))" || echo "nobody there"
      wait $job
      """)
    #expect(job.status == 0 && job.output.isEmpty, "\(job.transcript)")
    #expect(isFinished)
  }

  /// Nothing is left that would keep the run's folder locked.
  @Test func aKilledLauncherTakesItsJobWithIt() throws {
    let job = try bash(
      """
      "${train[@]}" --epochs 1000000 >\(scratch.path("output")) & job=$!
      until_said "untrained G"
      kill -KILL $job
      wait $job; status=$?
      until_gone; exit $status
      """)
    #expect(job.status == 137 && job.output.isEmpty, "\(job.transcript)")
  }

  /// The reader of the output, and of the errors, may go away.
  @Test(arguments: ["", "2>&1"])
  func aReaderThatGoesAwayEndsNothing(errors: String) throws {
    let job = try bash(
      "\"${train[@]}\" --max-steps 40 \(errors) | head -n 1; exit ${PIPESTATUS[0]}")
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.hasPrefix("gan-dist ") && isFinished, "\(job.transcript)")
  }

  /// Also where there is much to be said of errors, and nobody to read it.
  @Test func errorsThatNobodyReadsEndNothing() throws {
    let program = scratch.url("program")
    try Data(
      """
      #!/bin/bash
      for i in $(seq 100); do echo "line $i" >&2; sleep 0.01; done
      touch \(scratch.path("done"))
      """.utf8
    ).write(to: program)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
    let job = try bash(
      "\"${train[@]}\" 2>&1 | head -n 1; exit ${PIPESTATUS[0]}",
      environment: ["GAN_DIST_PROGRAM": program.path])
    #expect(job.status == 0 && job.output == "line 1\n", "\(job.transcript)")
    #expect(FileManager.default.fileExists(atPath: scratch.path("done")))
  }

  /// Two signals of one request, as timeout(1) sends them to a script and to its group, are one.
  @Test func oneRequestMayComeTwice() throws {
    let job = try bash(
      """
      "${train[@]}" --epochs 1000000 >\(scratch.path("output")) & job=$!
      until_said "untrained G"
      kill -TERM $job; kill -TERM $job
      wait $job; status=$?
      until_gone; exit $status
      """)
    #expect(job.status == 143 && job.output.isEmpty, "\(job.transcript)")
    let said = try String(contentsOfFile: scratch.path("output"), encoding: .utf8)
    #expect(said.contains("stopped as asked"))
  }

  /// One message, and none of MPI's.
  @Test(arguments: [
    (["--dropout", "1"], "--dropout must be"), (["--batch-size", "1000000"], "more than the"),
  ])
  func aRefusalIsOneMessage(options: [String], says: String) throws {
    let job = try bash("\"${train[@]}\" \(options.joined(separator: " "))")
    #expect(job.status == 64, "\(job.transcript)")
    #expect(job.errors.components(separatedBy: says).count == 2, "\(job.transcript)")
    #expect(!job.errors.contains("-----") && !job.errors.contains("MPI_"), "\(job.transcript)")
  }

  @Test func anotherMPIsMpirunIsNamed() throws {
    let folder = scratch.url("bin")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let mpirun = folder.appendingPathComponent("mpirun")
    try Data("#!/bin/sh\necho 'HYDRA build details:'\n".utf8).write(to: mpirun)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: mpirun.path)
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let job = try bash(
      "\"${train[@]}\" --max-steps 1", environment: ["PATH": "\(folder.path):\(path)"])
    #expect(job.status == 69, "\(job.transcript)")
    #expect(job.errors.contains("is not Open MPI's") && job.errors.contains("HYDRA"))
    #expect(!FileManager.default.fileExists(atPath: run))
  }

  /// Processes that another MPI's mpiexec starts find themselves alone.
  @Test(arguments: [["PMI_SIZE=2", "PMI_RANK=0"], ["PMIX_RANK=1"], ["SLURM_STEP_NUM_TASKS=4"]])
  func ranksOfAnotherMPIAreRefused(variables: [String]) throws {
    let job = try Command.run(
      ["env"] + variables + [BuiltProgram.path("gan-dist"), "--out", run], timeLimit: 30)
    #expect(job.status == 64, "\(job.transcript)")
    let speaks = !variables.contains("PMIX_RANK=1")
    #expect(job.errors.contains("this mpirun is not Open MPI's") == speaks, "\(job.transcript)")
    #expect(!FileManager.default.fileExists(atPath: run))
  }

  static let canChangeUser =
    getuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv")

  /// A built checkout that belongs to somebody else: the program that is there is run.
  @Test(.enabled(if: canChangeUser, "only root can become somebody else"))
  func aCheckoutOfSomebodyElseIsUsedAsItIs() throws {
    let checkout = scratch.url("checkout")
    let release = checkout.appendingPathComponent(".build/release")
    try FileManager.default.createDirectory(at: release, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: Repository.folder.appendingPathComponent("launch"),
      to: checkout.appendingPathComponent("launch"))
    let program = release.appendingPathComponent("gan-dist")
    try Data("#!/bin/sh\necho here with \"$@\"\n".utf8).write(to: program)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
    let job = try Command.run(
      [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=/tmp",
        "GAN_DIST_PROGRAM=", checkout.appendingPathComponent("launch/train").path, "-np", "1",
        "--max-steps", "1",
      ], timeLimit: 60)
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.contains("here with --max-steps 1"), "\(job.transcript)")
    #expect(job.errors.contains("taken as it is"))
  }

  /// The launchers raise the limit of open files, without which mpirun hangs.
  @Test func theLimitOfOpenFilesIsRaised() throws {
    let probe = scratch.url("probe")
    try Data("#!/bin/sh\nulimit -Sn\n".utf8).write(to: probe)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: probe.path)
    let job = try bash(
      "ulimit -Sn 100; \"${train[@]}\"; ulimit -Hn",
      environment: ["GAN_DIST_PROGRAM": probe.path])
    let limits = job.output.split(separator: "\n").compactMap { Int($0) }
    #expect(limits.count == 3 && limits.allSatisfy { $0 > 100 }, "\(job.transcript)")
  }
}

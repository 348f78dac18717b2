import Foundation
import TestSupport
import Testing

/// An mpirun that does not end although its ranks have: a host of its is frozen.
struct OutlivingLauncherTests {
  /// What ranks said last, and how launch/train ends. It is not the time limit that ends it.
  @Test(arguments: [("failed", 137 as Int32), ("finished", 0)])
  func anMpirunThatOutlivesItsRanksIsEnded(lastWord: String, status: Int32) throws {
    let scratch = try TemporaryFolder()
    let mpirun = scratch.url("mpirun")
    try Data(
      """
      #!/bin/bash
      [[ $1 != --version ]] || { echo "mpirun (Open MPI) 4.1.4"; exit; }
      trap '' TERM INT USR1
      echo 'gan-dist: job: running' >&2
      echo 'gan-dist: job: \(lastWord)' >&2
      while :; do sleep 1; done
      """.utf8
    ).write(to: mpirun)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: mpirun.path)
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let job = try Command.run(
      [
        Repository.folder.appendingPathComponent("launch/train").path, "--out", scratch.path("run"),
      ],
      environment: [
        "GAN_DIST_PROGRAM": BuiltProgram.path("gan-dist"),
        "PATH": scratch.path(".") + ":" + path,
      ], timeLimit: 60)
    #expect(job.status == status, "\(job.transcript)")
    #expect(job.errors.contains("mpirun has outlived its ranks by 20 s"), "\(job.transcript)")
    #expect(!job.errors.contains("gan-dist: job:") && !job.output.contains("gan-dist: job:"))
  }
}

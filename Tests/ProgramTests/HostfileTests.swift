import Foundation
import TestSupport
import Testing

/// How launch/hosts.sh reads hostfiles, and which hosts it believes to live.
struct HostfileTests {
  /// Calls a function of the script with the path of a file that has `text`.
  private func call(
    _ function: String, _ text: String, environment: [String: String] = [:]
  ) throws -> Command {
    let scratch = try TemporaryFolder()
    try Data(text.utf8).write(to: scratch.url("hosts"))
    let launch = Repository.folder.appendingPathComponent("launch").path
    return try Command.run(
      [
        "bash", "-euo", "pipefail", "-c",
        "source \(launch)/common.sh; source \(launch)/hosts.sh; \(function) \(scratch.path("hosts"))",
      ], environment: environment, timeLimit: 30)
  }

  @Test(arguments: [
    ("node1 slots=2\r\nnode2 slots=1\r\n", "node1 slots=2\nnode2 slots=1\n"),
    ("# two\n\n  node1 slots = 2 # here\n", "node1 slots=2\n"),
    ("\troot@node1\tslots=2\tmax_slots=4", "root@node1 slots=2 max_slots=4\n"),
    (
      "10.0.0.1 slots=1\n10.0.0.10 slots=2\nnode1.a slots=1\nnode1.b slots=1\nnode10.a slots=1\n",
      "10.0.0.1 slots=1\n10.0.0.10 slots=2\nnode1.a slots=1\nnode1.b slots=1\nnode10.a slots=1\n"
    ),
  ]) func plainLinesSayTheSame(text: String, plain: String) throws {
    let job = try call("read_hosts", text)
    #expect(job.status == 0 && job.output == plain, "\(job.transcript)")
  }

  /// Each is refused with its line, before anything is started.
  @Test(arguments: [
    ("node1 slots=2\nnode2 slots=2\nnode1 slots=1\n", "line 3: node1 is in line 1"),
    ("node1 slots=2\nme@node1 slots=2\n", "line 2: node1 is in line 1"),
    ("# x\nnode1 slots=0\n", "line 2: \"slots=0\""), ("node1 slots=two\n", "line 1: \"slots=two\""),
    ("node1 slots=2\nnode2\n", "line 2: does not say how many ranks run on node2. Add slots=N"),
    ("slots=2 node1\n", "line 1: begins with \"slots=2\""), ("\r\n", "names no host"),
    ("../x slots=1\n", "line 1: \"../x\" is no name"),
    ("a slots=2 slots=3\n", "line 1: has slots= twice"),
    ("a slots=2 max_slots=1\n", "line 1: has more slots than the 1"),
    ("a max-slots=3 slots=4\n", "line 1: has more slots than the 3"),
    ("node1 slots=2\nnode1.example.org slots=2\n", "line 2: node1.example.org looks like node1"),
    ("me@node1.example.org slots=2\nnode1 slots=2\n", "line 2: node1 looks like node1.example.org"),
  ]) func linesThatMeanSomethingElseAreRefused(text: String, message: String) throws {
    let job = try call("read_hosts", text)
    #expect(job.status == 64 && job.output.isEmpty, "\(job.transcript)")
    #expect(job.errors.contains(message), "\(job.transcript)")
  }

  @Test func slotsAreCountedOnce() throws {
    #expect(try call("count_slots", "a slots=2\nb slots=13 max_slots=40\n").output == "15\n")
  }

  /// mpirun puts rank 0 on the starting host, wherever that is in the file.
  @Test func rank0RunsOnTheStartingHost() throws {
    let own = try Command.run(["hostname"]).output.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(try call("host_of_rank_0", "a slots=1\nme@\(own) slots=1\n").output == "me@\(own)\n")
    #expect(try call("host_of_rank_0", "a slots=1\nb slots=1\n").output == "a\n")
  }

  /// All are asked at once, as mpirun would ask them, and none is waited for longer than ten seconds.
  @Test func hostsThatDoNotAnswerAreLeftOut() throws {
    let scratch = try TemporaryFolder()
    let agent = scratch.url("agent")
    try Data(
      """
      #!/bin/bash
      [[ $1 == -p && $2 == 2222 ]] || exit 1
      case $3 in
        frozen*) exec sleep 60 ;;
        dead) exit 255 ;;
      esac
      """.utf8
    ).write(to: agent)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: agent.path)
    let job = try call(
      "living_hosts",
      "first slots=1\nfrozen1 slots=1\nfrozen2 slots=1\nfrozen3 slots=1\ndead slots=1\nme@good slots=2\n",
      environment: [
        "OMPI_MCA_plm_rsh_agent": agent.path, "OMPI_MCA_plm_rsh_args": "-p 2222",
      ])
    #expect(job.output == "first slots=1\nme@good slots=2\n", "\(job.transcript)")
    for host in ["frozen1", "frozen2", "frozen3", "dead"] {
      #expect(job.errors.contains("\(host) does not answer and is left out"))
    }
  }
}

import Foundation
import TestSupport
import Testing

private func script(_ name: String) -> String {
  Repository.folder.appendingPathComponent("Tests/cluster/\(name)").path
}

private let isSupported = (try? Command.run([script("namespaces.sh"), "supported"]))?.status == 0

/// The cluster of network namespaces: clusters side by side, and what is left of one that is ended.
@Suite(.serialized, .enabled(if: isSupported, "network namespaces cannot be made here"))
struct NamespaceTests {
  private let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  /// Runs lines of bash where namespaces can be made; `$0` is namespaces.sh, `$1` three-hosts.sh.
  private func run(_ lines: String) throws -> Command {
    try Command.run(
      [
        script("namespaces.sh"), "within", "bash", "-c", lines, script("namespaces.sh"),
        script("three-hosts.sh"), BuiltProgram.path("gan-dist"),
      ], environment: ["TMPDIR": scratch.folder.path], timeLimit: 60)
  }

  private func namesLeft() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: scratch.folder.path)
  }

  @Test func clustersDoNotMeet() throws {
    let job = try run(
      """
      set -e
      one=$("$0" new) two=$("$0" new)
      [[ $one != "$two" && $(stat -c %a "$one") == 700 ]]
      trap 'for c in $one $two; do GAN_DIST_CLUSTER=$c "$0" down 2>/dev/null || :; done' EXIT
      GAN_DIST_CLUSTER=$one "$0" up 2 & GAN_DIST_CLUSTER=$two "$0" up 1
      wait
      GAN_DIST_CLUSTER=$one "$0" on node2 hostname
      ! GAN_DIST_CLUSTER=$two "$0" on node2 true
      ! GAN_DIST_CLUSTER=$one "$0" up 1
      GAN_DIST_CLUSTER=$two "$0" down
      GAN_DIST_CLUSTER=$one "$0" bytes
      """)
    #expect(job.status == 0, "\(job.transcript)")
    #expect(job.output.hasPrefix("node2\nnode1 ") && job.errors.contains("has no node2"))
    #expect(try namesLeft() == [])
  }

  /// A name that somebody else could have made is not used.
  @Test(arguments: [
    "unset GAN_DIST_CLUSTER", "GAN_DIST_CLUSTER=gan-dist", "GAN_DIST_CLUSTER=/tmp",
    "GAN_DIST_CLUSTER=$TMPDIR/gan-dist-cluster-absent",
    "ln -s /tmp $TMPDIR/gan-dist-cluster-link; GAN_DIST_CLUSTER=$TMPDIR/gan-dist-cluster-link",
  ])
  func aFolderOfOthersIsRefused(setting: String) throws {
    for verb in ["up 1", "down", "on node1 true"] {
      let job = try run("\(setting); export GAN_DIST_CLUSTER; \"$0\" \(verb)")
      #expect(job.status == 1, "\(job.transcript)")
      #expect(job.errors.contains("namespaces.sh: "))
    }
    #expect(try namesLeft().count == (setting.contains("ln ") ? 1 : 0))
  }

  @Test(arguments: [("TERM", 143), ("INT", 130), ("HUP", 129)])
  func whoIsEndedLeavesNothing(signal: String, status: Int32) throws {
    // A program that would run for long.
    let job = try run(
      """
      printf '#!/bin/bash\\nexec sleep 1000\\n' >"$TMPDIR/program" && chmod +x "$TMPDIR/program"
      set -m
      "$1" "$TMPDIR/program" & job=$!
      until grep -qs node3 "$TMPDIR"/gan-dist-cluster-*/hosts; do sleep 0.05; done
      cluster=$(basename "$TMPDIR"/gan-dist-cluster-*)
      kill -\(signal) $job; wait $job; echo "status $?"
      ip netns list | grep -c "$cluster"
      rm "$TMPDIR/program"
      """)
    #expect(job.output.hasSuffix("status \(status)\n0\n"), "\(job.transcript)")
    #expect(job.seconds < 40)
    #expect(try namesLeft() == [])
  }
}

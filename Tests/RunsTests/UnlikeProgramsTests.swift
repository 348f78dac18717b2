import Files
import Testing

@testable import Runs

struct UnlikeProgramsTests {
  private func error(_ digests: [String?], libraries: [String]? = nil) -> String? {
    UnlikeProgramsError(
      digests.enumerated().map { host, digest in
        .init(
          digest: digest.map { ContentDigest(hex: $0) },
          library: libraries?[host] ?? "Open MPI v4.1.4")
      }, hostNames: digests.indices.map { "node\($0 + 1)" })?.description
  }

  @Test func likeProgramsAreFine() {
    #expect(error(["a", "a", "a"]) == nil)
    #expect(error([]) == nil)
    // What cannot be read is believed to be right.
    #expect(error([nil, "a", nil, "a"]) == nil)
  }

  @Test func whoRunsAnotherBuildIsNamed() throws {
    let text = try #require(error(["a", "b", "a", "c"]))
    #expect(text.hasPrefix("node2, node4: another build of gan-dist (digest b) than on node1 (a)"))
    #expect(try #require(error([nil, "a", "b"])).hasPrefix("node3: another build"))
  }

  @Test func whoHasAnotherMPIIsNamed() throws {
    let text = try #require(error(["a", "b"], libraries: ["Open MPI v4.1.4", "Open MPI v4.1.2"]))
    #expect(text.hasPrefix("node2: Open MPI v4.1.2, but node1 has Open MPI v4.1.4"))
  }
}

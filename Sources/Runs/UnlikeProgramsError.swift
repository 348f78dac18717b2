import Files
import MPI
import MPICollectives

/// Hosts that do not run the same program, or not with the same MPI: known to all ranks.
package struct UnlikeProgramsError: Error, CustomStringConvertible {
  package let description: String

  /// What a host runs.
  package struct Program: Equatable {
    /// Of the program's file; nil if it cannot be read.
    let digest: ContentDigest?
    /// Such as "Open MPI v4.1.4".
    let library: String

    package init(digest: ContentDigest?, library: String) {
      (self.digest, self.library) = (digest, library)
    }
  }

  /// - Parameters:
  ///   - programs: what each host runs.
  ///   - hostNames: what people call them.
  /// - Returns: nil where all run the same, as far as can be seen.
  package init?(_ programs: [Program], hostNames: [String]) {
    /// Hosts that differ from the first one that is known.
    func unlike<Value: Equatable>(
      _ value: (Program) -> Value?
    ) -> (first: Int, others: [Int])? {
      let known = programs.indices.filter { value(programs[$0]) != nil }
      guard let first = known.first else { return nil }
      let others = known.filter { value(programs[$0]) != value(programs[first]) }
      return others.isEmpty ? nil : (first, others)
    }
    func names(_ hosts: [Int]) -> String { hosts.map { hostNames[$0] }.joined(separator: ", ") }
    if let (first, others) = unlike(\.library) {
      description = """
        \(names(others)): \(programs[others[0]].library), but \(hostNames[first]) has \(programs[first].library). \
        Install the same version of Open MPI on all hosts: ./launch/prepare host on each
        """
    } else if let (first, others) = unlike(\.digest) {
      description = """
        \(names(others)): another build of gan-dist (digest \(programs[others[0]].digest?.short ?? "")) than on \
        \(hostNames[first]) (\(programs[first].digest?.short ?? "")), whose numbers may differ. Put the same file \
        there: in a shared folder, or by ./launch/install on each host
        """
    } else {
      return nil
    }
  }

  /// Compares what the leaders of hosts run. Every rank must call this.
  /// - Throws: ``UnlikeProgramsError`` on all ranks; `MPIError`.
  package static func demandLike(on ranks: RankDirectory) throws {
    let (world, hosts) = (ranks.hosts.world, ranks.hosts.ranks)
    guard hosts.count > 1 else { return }
    let isLeader = ranks.hosts.own.rank == 0
    let digests = try world.allGather(isLeader ? ownDigest?.hex ?? "" : "")
    let libraries = try world.allGather(isLeader ? MPISession.libraryVersion : "")
    let leaders = hosts.map { $0[0] }
    let error = UnlikeProgramsError(
      leaders.map {
        Program(
          digest: digests[$0].isEmpty ? nil : ContentDigest(hex: digests[$0]),
          library: libraries[$0])
      }, hostNames: leaders.map { ranks.hostOfRank[$0] })
    if let error { throw error }
  }

  /// Of the file that this process runs, even if another one has its name by now.
  private static var ownDigest: ContentDigest? {
    (try? InputFile(path: "/proc/self/exe")).map { ContentDigest(of: $0.bytes) }
  }
}

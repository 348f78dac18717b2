import FlightRecorder
import MPI

/// The flight records of a run that begins: a file a rank, in a folder of the run.
///
/// A rank that cannot make its file goes on without one.
package struct FlightRecording {
  /// Nil if this rank has none.
  package let recorder: FlightRecorder?

  /// Begins to record in memory: nothing is touched yet. Every rank must call this.
  package init(over communicator: Communicator) {
    recorder = try? FlightRecorder(
      rank: communicator.rank, rankCount: communicator.rankCount, hostName: MPISession.hostName)
  }

  /// Makes the files; on hosts without the run's folder, that too. Every rank must call this.
  /// - Parameter run: the run's folder, on rank 0.
  /// - Returns: the folder as all ranks name it, and what went wrong, on all ranks: for the log.
  /// - Throws: `MPIError`.
  package func keep(
    in run: RunFolder?, over communicator: Communicator
  ) throws -> (folder: String, warnings: [String]) {
    let folder = try communicator.broadcast(run?.file(FlightRecordFolder.name) ?? "", from: 0)
    var problem = ""
    do {
      try RunFolder.makeFolder(folder)
      if let recorder { try recorder.keep(in: folder) } else { problem = "no memory" }
    } catch {
      problem = "\(error)"
    }
    let warnings = try communicator.allGather(problem).enumerated().compactMap { rank, problem in
      problem.isEmpty ? nil : "no flight record of rank \(rank): \(problem)"
    }
    return (folder, warnings)
  }
}

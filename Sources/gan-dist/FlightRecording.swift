import FlightRecorder
import Glibc
import MPI
import MPICollectives
import NeuralNetwork

/// The flight records of a run that begins: a file a rank, in a folder of the run.
///
/// A rank that cannot make its file goes on without one.
struct FlightRecording {
  /// The folder as all ranks name it.
  let folder: String
  /// What went wrong, on all ranks: for the log.
  let warnings: [String]
  private let recorder: FlightRecorder?

  /// Makes the files; on hosts without the run's folder, that too. Every rank must call this.
  /// - Parameter run: the run's folder, on rank 0.
  /// - Throws: `MPIError`.
  init(_ run: RunFolder?, over communicator: Communicator) throws {
    // What an earlier attempt recorded may tell why it failed.
    if let old = run?.file(FlightRecordFolder.name), RunFolder.isFolder(old) {
      rename(old, "\(old).until-\(LocalTime.now(format: "%Y-%m-%d_%H-%M-%S"))")
    }
    let folder = try communicator.broadcast(run?.file(FlightRecordFolder.name) ?? "", from: 0)
    var recorder: FlightRecorder?
    var problem = ""
    do {
      try RunFolder.makeFolder(folder)
      recorder = try FlightRecorder(
        folder: folder, rank: communicator.rank, rankCount: communicator.rankCount,
        hostName: MPISession.hostName)
    } catch {
      problem = "\(error)"
    }
    self.folder = folder
    self.recorder = recorder
    warnings = try communicator.allGather(problem).enumerated().compactMap { rank, problem in
      problem.isEmpty ? nil : "no flight record of rank \(rank): \(problem)"
    }
  }

  /// The collective, recorded if this rank has a recorder.
  func recorded(_ collective: any Collective) -> any Collective {
    guard let recorder else { return collective }
    return RecordedCollective(collective, recorder: recorder)
  }
}

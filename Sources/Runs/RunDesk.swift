import FlightRecorder
import Glibc
import MPI

/// What rank 0 works with: the run's folder, its log.
package struct RunDesk {
  package let folder: RunFolder
  package let log: RunLog

  /// Takes possession of the run's folder, in an order in which nothing is lost:
  /// 1. the folder is made, if it is new, and its lock taken;
  /// 2. it is looked at again: from now on nobody else changes it;
  /// 3. folders and the log are made, and it is seen whether all else could be written;
  /// 4. what belongs to another past or another attempt is set aside.
  /// If any of it cannot be done, all of it is taken back.
  /// - Parameters:
  ///   - plan: what was seen of the disk.
  ///   - verbosity: what the terminal is told.
  /// - Throws: `RunFolderError`.
  package init(_ plan: RunPlan, verbosity: RunLog.Verbosity) throws {
    let undo = UndoList()
    do {
      folder = try RunFolder(path: plan.path, hostName: MPISession.hostName, undo: undo)
      try plan.demandUnchanged()
      for name in ["samples", "plots", "checkpoints"] {
        try RunFolder.makeFolder(folder.file(name), undo: undo)
      }
      let logFile = folder.file("log.txt")
      if RunFolder.isAbsent(logFile) { undo.add { unlink(logFile) } }
      log = try RunLog(folder: folder, verbosity: verbosity)
      try folder.demandWritable("config.json")
      try folder.demandWritable("metrics.csv")
      let firstStep = plan.checkpoint?.position.step ?? 0
      try folder.demandWritable("checkpoints/" + CheckpointFolder.fileName(step: firstStep))
      let setAside = try Self.setAside(in: folder, plan, undo)
      if let warning = folder.warning { log.logger.warning("\(warning)") }
      for warning in plan.warnings { log.logger.warning("\(warning)") }
      for file in setAside {
        log.logger.warning("the run goes on from before it, so it is set aside: \(file)")
      }
    } catch {
      undo.run()
      throw error
    }
  }

  /// - Returns: the later checkpoints that were set aside.
  private static func setAside(
    in folder: RunFolder, _ plan: RunPlan, _ undo: UndoList
  ) throws -> [String] {
    var files: [String] = []
    if let checkpoint = plan.checkpoint, let file = plan.checkpointFile {
      files = try folder.checkpoints.setAside(
        after: checkpoint.position.step, except: file, undo: undo)
    }
    // What an earlier attempt recorded may tell why it failed.
    let record = folder.file(FlightRecordFolder.name)
    if RunFolder.isFolder(record) {
      let time = LocalTime.now(format: "%Y-%m-%d_%H-%M-%S")
      try undo.rename(record, to: UnusedPath.next(to: "\(record).until-\(time)"))
    }
    return files
  }
}

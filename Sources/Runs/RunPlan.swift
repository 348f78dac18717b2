import Files
import GANTraining

/// What a start is about to do with the disk. Rank 0 makes it by looking, and touches nothing.
package struct RunPlan {
  /// The folder of the run; nil for a new one under runs/.
  let path: String?
  /// The checkpoint to go on from, and its file; nil to begin at the beginning.
  let checkpoint: Checkpoint?
  let checkpointFile: String?
  /// What the log is to say, once there is one.
  let warnings: [String]
  private let survey: RunFolderSurvey?

  /// - Parameters:
  ///   - out: the folder that `--out` names.
  ///   - resume: where `--resume` goes on from.
  /// - Throws: `RunFolderError`, `TensorFileError`.
  package init(out: String?, resume: ResumeSource?) throws {
    let path = out ?? resume?.runFolder
    self.path = path
    // Another run's checkpoint begins a new run, in a folder of its own.
    let goesOnHere =
      resume == .latest
      || resume?.runFolder.map { $0 == path || FileIdentity.isSame($0, path ?? "") } == true
    let survey = try path.map {
      try RunFolderSurvey(path: $0, goesOnHere ? .unreadable : .unwritable)
    }
    self.survey = survey
    var warnings: [String] = []
    let found = try Self.find(resume, out: out, survey) { warnings.append($0) }
    (checkpoint, checkpointFile) = (found?.checkpoint, found?.file)
    if resume == .latest && found == nil {
      warnings.append(
        "\(path ?? "") has no checkpoint to go on from: the run begins at its beginning")
    }
    self.warnings = warnings
    if let path, let survey, survey.holdsRun, !goesOnHere {
      throw RunFolderError(
        path: path,
        reason: """
          it holds another run; go on with it by --resume latest, or name another folder with \
          --out
          """)
    }
    try RunFolder.demandWritable(path)
    if let path { try RunLock.demandFree(path: RunFolder.Layout(path: path).lock, folder: path) }
  }

  private static func find(
    _ resume: ResumeSource?, out: String?, _ survey: RunFolderSurvey?, warn: (String) -> Void
  ) throws -> (checkpoint: Checkpoint, file: String)? {
    guard let resume else { return nil }
    guard let folder = resume.checkpointFolder(out: out) else {
      guard case .path(let file) = resume else { return nil }
      return (try Checkpoint(path: file), file)
    }
    if resume == .latest, let survey {
      if let found = try folder.newestWhole(of: survey.checkpoints, warn: warn) { return found }
      if !survey.holdsRun { return nil }
      throw RunFolderError(
        .unreadable, path: out ?? "",
        reason: """
          it holds a run (\(survey.signs.joined(separator: ", "))), but \
          \(survey.hasCheckpointFolder ? "no checkpoint is in" : "there is no") \(folder.path). \
          Bring the checkpoints back, or name another folder with --out
          """)
    }
    let entries: [CheckpointFolder.Entry]
    do throws(FileError) {
      entries = try folder.entries()
    } catch {
      throw RunFolderError(.unreadable, error)
    }
    if let found = try folder.newestWhole(of: entries, warn: warn) { return found }
    throw RunFolderError(.unreadable, path: folder.path, reason: "no checkpoint is there")
  }

  /// Whether the run's folder has the file of the checkpoint, as the one of its step.
  var isSaved: Bool {
    guard let path, let checkpoint, let checkpointFile else { return false }
    let own = RunFolder.Layout(path: path).checkpoints.file(step: checkpoint.position.step)
    return FileIdentity.isSame(own, checkpointFile)
  }

  /// Sees whether the folder still holds what was planned with, now that its lock keeps others out.
  /// - Throws: `RunFolderError`.
  func demandUnchanged() throws {
    guard let path, let survey, try RunFolderSurvey(path: path, .unwritable) != survey else {
      return
    }
    throw RunFolderError(
      path: path,
      reason: "another program has written to it during this start. Look at it, and start again")
  }
}

/// What rank 0 works with: the run's folder, its log, its checkpoints.
struct RunDesk {
  let folder: RunFolder
  let log: RunLog
  let checkpoints: CheckpointFolder
}

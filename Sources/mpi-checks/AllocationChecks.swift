import AllocationCounter
import GANTraining
import MNISTFamily
import MPI
import MPICollectives
import Matrices

/// `allocations`: once some steps have been taken, the next ones allocate nothing, on any rank.
func checkAllocations(_ communicator: Communicator, _ arguments: [String]) throws {
  var settings = TrainingSettings()
  settings.maximumSteps = 60
  let dataSet = try DataLocation.resolve(explicitFolder: nil).readTrainingSet()
  let watch = try StallWatch(communicator, timeout: 120)
  let trainer = try Trainer(
    dataSet, settings: settings,
    collective: try Checks.collective(communicator, log: ExchangeLog(watch: watch)))
  let counter = AllocationsOfSteps(capacity: 60)
  _ = try trainer.run(observer: counter)
  countAllocations(false)
  // The first steps may still set something up; the last one ends the run.
  let counts = counter.betweenSteps.dropFirst(10).dropLast()
  try CheckFailure.demand(
    counts.allSatisfy { $0 == 0 }, "rank \(communicator.rank): allocations of each step: \(counts)")
}

private final class AllocationsOfSteps: TrainingObserver {
  private(set) var betweenSteps: [Int] = []
  private var last = 0

  init(capacity: Int) { betweenSteps.reserveCapacity(capacity) }

  func stepDidEnd(_ progress: TrainingProgress) {
    let count = allocationCount()
    betweenSteps.append(count - last)
    last = count
    countAllocations(true)
  }
}

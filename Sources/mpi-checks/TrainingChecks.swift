import Collectives
import GANTraining
import Glibc
import MNISTFamily
import MPI
import MPICollectives
import Matrices

/// `train FILE BATCH STEPS [deaf|own-hosts|mpi]`: trains on the real data; checks that all ranks hold the same bits;
/// rank 0 writes the losses of all steps (float64) and all weights and running statistics (float32) to FILE.
///
/// With `own-hosts` each rank is a host of its own; with `mpi` they add up by MPI's collectives, too. `deaf` is the
/// negative control: the same, but what other ranks add to BatchNorm's sums does not arrive.
func checkTraining(_ communicator: Communicator, _ arguments: [String]) throws {
  guard arguments.count >= 3, let batchSize = Int(arguments[1]), let steps = Int(arguments[2])
  else { throw CheckFailure(description: "train needs FILE BATCH STEPS") }
  var settings = TrainingSettings()
  settings.globalBatchSize = batchSize
  settings.maximumSteps = steps
  settings.seed = 5
  let dataSet = try DataLocation.resolve(explicitFolder: nil).readTrainingSet()
  let isDeaf = arguments.contains("deaf")
  let usesMPI = arguments.contains("mpi")
  let ranks = try Checks.collective(
    communicator, mayShareMemory: !isDeaf && !usesMPI && !arguments.contains("own-hosts"),
    networkCollectives: usesMPI ? .mpi : .own)
  let trainer = try Trainer(
    dataSet, settings: settings,
    collective: isDeaf ? DeafCollective(ranks) : ranks)
  let recorder = LossRecorder()
  do {
    _ = try trainer.run(observer: recorder)
  } catch is TrainingFailure where isDeaf {
    // In the end hosts compare their states, and those of the deaf are not alike.
  }

  let state = trainer.state
  let arenas = [
    state.generator.parameters, state.generator.buffers, state.discriminator.parameters,
    state.generatorOptimizer.firstMoments, state.generatorOptimizer.secondMoments,
    state.discriminatorOptimizer.firstMoments, state.discriminatorOptimizer.secondMoments,
  ]
  if !isDeaf {
    for arena in arenas { try demandSameBits(arena.values, over: communicator) }
    try recorder.losses.withUnsafeMutableBufferPointer {
      try demandSameBits($0, over: communicator)
    }
  }
  guard communicator.rank == 0 else { return }
  guard let file = fopen(arguments[0], "wb") else {
    throw CheckFailure(description: "cannot write \(arguments[0])")
  }
  defer { fclose(file) }
  fwrite(recorder.losses, MemoryLayout<Double>.stride, recorder.losses.count, file)
  for arena in arenas.prefix(3) {
    fwrite(arena.values.baseAddress, MemoryLayout<Float>.stride, arena.values.count, file)
  }
}

/// `drift RANK`: flips one bit of G's weights on one rank, after the second epoch; the sentinel has to end the job.
func flipOneBit(_ communicator: Communicator, _ arguments: [String]) throws {
  struct Saboteur: TrainingObserver {
    let isActive: Bool

    func epochDidEnd(_ record: EpochRecord, trainer: Trainer) {
      guard isActive, record.epoch == 2 else { return }
      let weights = trainer.state.generator.parameters.values
      weights[1000] = Float(bitPattern: weights[1000].bitPattern ^ 0x1000)
    }
  }
  var settings = TrainingSettings()
  settings.globalBatchSize = 200
  settings.epochs = 4
  let dataSet = try DataLocation.resolve(explicitFolder: nil).readTrainingSet()
  // Ranks with one state between them cannot disagree.
  let trainer = try Trainer(
    dataSet, settings: settings,
    collective: try Checks.collective(communicator, mayShareMemory: false))
  let isActive = communicator.rank == Int(arguments.first ?? "0")
  _ = try trainer.run(observer: Saboteur(isActive: isActive))
}

/// Every rank compares its bits with rank 0's.
private func demandSameBits<Element: MPIElement>(
  _ own: UnsafeMutableBufferPointer<Element>, over communicator: Communicator
) throws {
  var ofRoot = Array(own)
  let isSame = try ofRoot.withUnsafeMutableBufferPointer { ofRoot in
    try communicator.broadcast(ofRoot, from: 0)
    return UnsafeRawBufferPointer(ofRoot).elementsEqual(UnsafeRawBufferPointer(own))
  }
  let votes = try communicator.allGather(isSame ? 1 : 0)
  try CheckFailure.demand(
    votes.allSatisfy { $0 == 1 }, "ranks hold unlike bits: \(votes) (1 is like rank 0)")
}

/// The four numbers of each step.
private final class LossRecorder: TrainingObserver {
  var losses: [Double] = []

  func stepDidEnd(_ progress: TrainingProgress) {
    let means = progress.means
    losses += [
      means.discriminatorLoss, means.generatorLoss, means.probabilityOfReal,
      means.probabilityOfFake,
    ]
  }
}

/// Ranks that do not hear what others add to BatchNorm's sums.
private final class DeafCollective: Collective {
  private let ranks: any Collective
  var topology: Topology { ranks.topology }
  var traffic: Traffic { ranks.traffic }

  init(_ ranks: any Collective) { self.ranks = ranks }

  func makeMemory(byteCount: Int, for purpose: String) throws -> UnsafeMutableRawPointer {
    try ranks.makeMemory(byteCount: byteCount, for: purpose)
  }

  func makeMovement(
    _ schedule: Schedule, in regions: [UnsafeMutableRawPointer],
    preparing prepare: @escaping () -> Void, adding add: @escaping Movement.Adder
  ) throws -> Movement {
    try ranks.makeMovement(schedule, in: regions, preparing: prepare, adding: add)
  }

  func makeExchange(
    name: String, finishing finished: [Movement], inside: [Movement]
  ) throws -> any Exchange {
    let isOfSums = name.hasSuffix(".forward") || name.hasSuffix(".backward")
    let exchange = try ranks.makeExchange(
      name: name, finishing: finished, inside: isOfSums ? [] : inside)
    return isOfSums ? DeafExchange(inside, exchange) : exchange
  }

  /// Writes what it would send, and sends nothing. Each rank is a host of its own.
  private final class DeafExchange: Exchange {
    private let movements: [Movement]
    private let exchange: any Exchange

    init(_ movements: [Movement], _ exchange: any Exchange) {
      (self.movements, self.exchange) = (movements, exchange)
    }

    func run(vote: Bool) throws -> Bool {
      for movement in movements { movement.prepare() }
      return try exchange.run(vote: vote)
    }
  }
}

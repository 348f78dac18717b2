import Collectives
import MNISTFamily
import Matrices
import NeuralNetwork
import Randomness
import TestSupport
import Testing

@testable import GANTraining

/// The loop on a small made-up data set, with ranks that are threads.
@Suite struct TrainerTests {
  private struct Outcome {
    var history: [EpochRecord]
    var generator: [Float]
    var discriminator: [Float]
    var generatorBuffers: [Float]
  }

  /// Images of 6 x 5 pixels.
  private static func dataSet(count: Int = 40) throws -> ImageDataSet {
    let set = try ImageDataSet(imageCount: count, imageHeight: 6, imageWidth: 5)
    set.withUnsafeMutablePixels { pixels in
      for index in pixels.indices {
        pixels[index] = UInt8(truncatingIfNeeded: index * 7 + index / 30)
      }
    }
    return set
  }

  private static func run(
    _ collective: any Collective, batchSize: Int = 16, epochs: Int = 3, maximumSteps: Int? = nil,
    precision: Precision = .float32,
    observer: some TrainingObserver = NoObserver()
  ) throws -> Outcome {
    var settings = TrainingSettings()
    settings.globalBatchSize = batchSize
    settings.epochs = epochs
    settings.maximumSteps = maximumSteps
    settings.seed = 11
    settings.precision = precision
    let trainer = try Trainer(
      dataSet(count: max(40, batchSize)), settings: settings, collective: collective)
    _ = try trainer.run(observer: observer)
    let state = trainer.state
    return Outcome(
      history: trainer.history, generator: Array(state.generator.parameters.values),
      discriminator: Array(state.discriminator.parameters.values),
      generatorBuffers: Array(state.generator.buffers.values))
  }

  private static func expectEqual(_ outcome: Outcome, _ expected: Outcome) {
    #expect(outcome.generator == expected.generator)
    #expect(outcome.discriminator == expected.discriminator)
    #expect(outcome.generatorBuffers == expected.generatorBuffers)
    #expect(outcome.history.map(\.means) == expected.history.map(\.means))
  }

  /// The last block of 20 rows has 4.
  @Test(arguments: [2, 3, 4, 7, 20], [16, 20])
  func noBitDependsOnTheRanks(rankCount: Int, batchSize: Int) throws {
    let one = try Self.run(SoloCollective(), batchSize: batchSize)
    for rank in ThreadTeam.run(
      rankCount: rankCount, { try Self.run($0, batchSize: batchSize) })
    {
      Self.expectEqual(rank, one)
    }
  }

  /// Hosts by slot and by node; the leaf of the first 64 rows spans hosts.
  @Test(arguments: [[[0, 1], [2], [3]], [[0, 3], [1], [2]], [[0], [1], [2]]], [16, 36])
  func noBitDependsOnTheHosts(hosts: [[Int]], batchSize: Int) throws {
    let one = try Self.run(SoloCollective(), batchSize: batchSize)
    for rank in ThreadTeam.run(hosts: hosts, { try Self.run($0, batchSize: batchSize) }) {
      Self.expectEqual(rank, one)
    }
  }

  /// Two leaves of 64 rows, and three; the last one is not whole.
  @Test(arguments: [72, 136]) func noBitDependsOnWhoHasWhichLeaf(batchSize: Int) throws {
    try checkLeaves(batchSize: batchSize, .float32)
  }

  @Test(.enabled(if: Machine.multipliesBFloat16, "needs AVX-512 BF16"), arguments: [72, 136])
  func noBitOfBFloat16DependsOnWhoHasWhichLeaf(batchSize: Int) throws {
    try checkLeaves(batchSize: batchSize, .bfloat16)
  }

  private func checkLeaves(batchSize: Int, _ precision: Precision) throws {
    let one = try Self.run(
      SoloCollective(), batchSize: batchSize, epochs: 2, precision: precision)
    for hosts in [[[0, 1, 2]], [[0, 1], [2], [3]], [[0, 3], [1], [2]]] {
      for rank in ThreadTeam.run(
        hosts: hosts,
        { try Self.run($0, batchSize: batchSize, epochs: 2, precision: precision) })
      {
        Self.expectEqual(rank, one)
      }
    }
  }

  /// Hosts that are leaves of the tree, that share leaves, that have none.
  @Test(arguments: [
    ([[0], [1]], 256), ([[0, 1], [2, 3]], 256), ([[0], [1], [2], [3]], 256),
    ([[0], [1], [2]], 200),
    ([[0, 3], [1], [2]], 192), ([[0, 1, 2], [3]], 136),
  ]) func noBitDependsOnHowSumsTravel(hosts: [[Int]], batchSize: Int) throws {
    let one = try Self.run(SoloCollective(), batchSize: batchSize, epochs: 2)
    // A network so quick that sums travel, and one so slow that rows do.
    for bytesPerSecond in [1e15, 1e3] {
      let costs = TravelCosts(bytesPerSecond: bytesPerSecond, operationsPerSecond: 1e11)
      for rank in ThreadTeam.run(
        hosts: hosts, travelCosts: costs, { try Self.run($0, batchSize: batchSize, epochs: 2) })
      {
        Self.expectEqual(rank, one)
      }
    }
  }

  @Test(arguments: [2, 3, 5]) func noBitDependsOnTheThreads(threads: Int) throws {
    let one = try Self.run(SoloCollective(), batchSize: 36)
    try WorkTeam.setThreadCount(threads)
    defer { try? WorkTeam.setThreadCount(1) }
    Self.expectEqual(try Self.run(SoloCollective(threads: threads), batchSize: 36), one)
  }

  /// Factors that are rounded to 8 bits change the losses' third digit, and change it.
  @Test(.enabled(if: Machine.multipliesBFloat16, "needs AVX-512 BF16"))
  func bfloat16LearnsWhatFloat32Does() throws {
    let exact = try Self.run(SoloCollective(), epochs: 10)
    let rounded = try Self.run(SoloCollective(), epochs: 10, precision: .bfloat16)
    for (record, expected) in zip(rounded.history, exact.history) {
      for loss in [\LossSummary.discriminatorLoss, \.generatorLoss] {
        let (actual, expected) = (record.means[keyPath: loss], expected.means[keyPath: loss])
        #expect(abs(actual - expected) < 0.01 * expected)
        #expect(actual != expected)
      }
    }
    // Twenty steps of Adam: weights of both have gone the same way, and few of them another.
    let distances = zip(rounded.discriminator, exact.discriminator).map { abs($0 - $1) }.sorted()
    #expect(distances[distances.count / 2] < 3e-4 && distances[distances.count / 2] > 1e-7)
  }

  @Test(.enabled(if: Machine.multipliesBFloat16, "needs AVX-512 BF16"), arguments: [2, 3, 5])
  func bfloat16HasTheSameBitsForAnyRanks(rankCount: Int) throws {
    // An odd number of rows ends with half a pair.
    for batchSize in [39, 40] {
      let one = try Self.run(SoloCollective(), batchSize: batchSize, precision: .bfloat16)
      for hosts in [[Array(0..<rankCount)], (0..<rankCount).map { [$0] }] {
        for rank in ThreadTeam.run(
          hosts: hosts, { try Self.run($0, batchSize: batchSize, precision: .bfloat16) })
        {
          Self.expectEqual(rank, one)
        }
      }
    }
  }

  /// What products read is what was loaded, not what was drawn before.
  @Test(.enabled(if: Machine.multipliesBFloat16, "needs AVX-512 BF16"))
  func bfloat16SeesLoadedWeights() throws {
    var settings = TrainingSettings()
    settings.globalBatchSize = 8
    settings.maximumSteps = 1
    settings.precision = .bfloat16
    settings.dropout = 0
    let trainer = try Trainer(Self.dataSet(), settings: settings, collective: SoloCollective())
    // D says "real" with a logit of 2 = 256 * 1 / 128, whatever it sees.
    let discriminator = trainer.state.discriminator.parameters
    discriminator.values.update(repeating: 0)
    for (name, value) in [("3.bias", Float(1)), ("6.weight", 1 / 128)] {
      let entry = try #require(discriminator.layout.entries.first { $0.name == name })
      discriminator.tensor(entry).update(repeating: value)
    }
    _ = try trainer.run(observer: NoObserver())
    let probability = trainer.history[0].means.probabilityOfReal
    #expect(abs(probability - 0.8808) < 1e-4)
  }

  @Test func epochsDropWhatDoesNotFillABatch() throws {
    let outcome = try Self.run(SoloCollective(), batchSize: 16, epochs: 3)
    #expect(outcome.history.map(\.epoch) == [1, 2, 3])
    #expect(outcome.history.map(\.steps) == [2, 2, 2])
  }

  @Test func maximumStepsStopWithinAnEpoch() throws {
    let outcome = try Self.run(SoloCollective(), epochs: 3, maximumSteps: 3)
    #expect(outcome.history.map(\.steps) == [2, 1])
  }

  @Test func noEpochsTrainNothing() throws {
    let outcome = try Self.run(SoloCollective(), epochs: 0)
    #expect(outcome.history.isEmpty)
    #expect(outcome.generator.contains { $0 != 0 })
  }

  /// Drawing pictures leaves no trace in the training.
  private struct Painter: TrainingObserver {
    func trainingWillBegin(_ trainer: Trainer) throws { try paint(trainer) }
    func stepDidEnd(_ progress: TrainingProgress) {}
    func epochDidEnd(_ record: EpochRecord, trainer: Trainer) throws { try paint(trainer) }
    func trainingDidEnd(_ trainer: Trainer) throws { try paint(trainer) }

    private func paint(_ trainer: Trainer) throws {
      let (state, random) = (trainer.state, trainer.random)
      let images = try SampleImages.grid(of: 4, from: state, random: random)
      #expect(images.count == 4 * 30)
      #expect(images.allSatisfy { abs($0) <= 1 })
      #expect(Set(images).count > 30)
      _ = try SampleImages.interpolation(of: 3, from: state, random: random)
      let probabilities = try SampleImages.untrainedProbabilities(
        of: 5, from: state, random: random)
      #expect(probabilities.count == 5 && probabilities.allSatisfy { (0...1).contains($0) })
    }
  }

  @Test func watchingDisturbsNothing() throws {
    let alone = try Self.run(SoloCollective())
    let watched = try Self.run(SoloCollective(), observer: Painter())
    #expect(watched.generator == alone.generator)
    #expect(watched.discriminator == alone.discriminator)
    #expect(watched.generatorBuffers == alone.generatorBuffers)
  }

  @Test func anInterpolationBeginsAndEndsAtItsPoints() throws {
    var settings = TrainingSettings()
    settings.globalBatchSize = 8
    let trainer = try Trainer(Self.dataSet(), settings: settings, collective: SoloCollective())
    let eight = try SampleImages.interpolation(of: 8, from: trainer.state, random: trainer.random)
    let two = try SampleImages.interpolation(of: 2, from: trainer.state, random: trainer.random)
    #expect(eight.alphas.first == 0 && eight.alphas.last == 1 && eight.alphas.count == 8)
    #expect(eight.images.prefix(30) == two.images.prefix(30))
    #expect(eight.images.suffix(30) == two.images.suffix(30))
    #expect(two.images.prefix(30) != two.images.suffix(30))
  }

  @Test func everyImageIsShownOnceAnEpoch() throws {
    let set = try Self.dataSet()
    let loader = try BatchLoader(set, globalBatchSize: 8, random: RandomSource(seed: 2))
    let workspace = Workspace()
    defer { withExtendedLifetime(workspace) {} }
    func load(_ rows: Range<Int>, step: Int) throws -> [Float] {
      let images = try workspace.matrix(rows: rows.count, columns: 30)
      let list = InstructionList()
      loader.load(rows, into: images, in: list)
      loader.begin(stepInEpoch: step)
      Phase([list]).run()
      return Array(images.buffer)
    }
    loader.shuffle(epoch: 0)
    var seen: [[Float]] = []
    for step in 0..<5 {
      let whole = try load(0..<8, step: step)
      seen += (0..<8).map { Array(whole[$0 * 30..<($0 + 1) * 30]) }
    }
    #expect(Set(seen).count == 40)

    // Three ranks together see the same batch.
    let parts = try [0..<2, 2..<5, 5..<8].flatMap { try load($0, step: 4) }
    #expect(try parts == load(0..<8, step: 4))
  }
}

import Collectives
import FoundationEssentials
import GANTraining
import MNISTFamily
import MPI
import Matrices
import NeuralNetwork
import Texts

/// What is run, where and on what: for config.json and for the first lines of the log.
package struct RunDescription {
  let configuration: RunConfiguration
  let ranks: RankDirectory
  let dataSet: ImageDataSet
  let dataSource: String
  /// Global steps at the end of the run, those of a resumed run's past included.
  let totalSteps: Int
  let networkCollectives: NetworkCollectives

  /// - Parameters:
  ///   - configuration: what the run is set to.
  ///   - ranks: who takes part.
  ///   - dataSet: what it trains on.
  ///   - dataSource: the folder of the data.
  ///   - totalSteps: global steps at the end of the run.
  ///   - networkCollectives: whose operations add up between hosts.
  package init(
    configuration: RunConfiguration, ranks: RankDirectory, dataSet: ImageDataSet,
    dataSource: String, totalSteps: Int, networkCollectives: NetworkCollectives
  ) {
    (self.configuration, self.ranks, self.dataSet) = (configuration, ranks, dataSet)
    (self.dataSource, self.totalSteps) = (dataSource, totalSteps)
    self.networkCollectives = networkCollectives
  }

  var settings: TrainingSettings { configuration.settings }
  private var architecture: Architecture { configuration.architecture }

  /// The lines that begin a run.
  func lines(runFolder: String) -> [String] {
    [
      Version.name,
      "  ranks      \(rankLine)",
      "  libraries  \(MPISession.libraryVersion), \(Self.arithmetic)",
      "  data       \(dataLine)",
      "  batches    \(batchLine)",
      "  sums       \(sumLine)",
      "  networks   \(networkLine)",
      "  precision  \(precisionLine)",
      "  run        \(runFolder): \(runLine)",
    ]
  }

  /// The program as files of a run name it.
  package static var program: String { "\(Version.name) with \(arithmetic)" }

  /// The same as far as the bits of float32 products depend on it: not on the width of vectors.
  static var arithmeticOfBits: String {
    let library = XSMM.multiplies ? "libxsmm \(XSMM.version)" : "no libxsmm"
    return "\(library), \(Processor.instructionSet.fusesMultiplyAdd ? "FMA" : "no FMA")"
  }

  /// What the bits of a result depend on beside settings and data.
  package static var arithmetic: String {
    let set = Processor.instructionSet
    let library = XSMM.multiplies ? "libxsmm \(XSMM.version)" : "no libxsmm"
    let bits = set.fusesMultiplyAdd ? "" : ", no FMA: other last digits than with it"
    return "\(library) (\(set)\(bits)), vector kernels \(VectorMath.build)"
  }

  /// Where each rank runs.
  var rankLines: [String] {
    zip(ranks.hostOfRank, ranks.threadsOfRank).enumerated().map { rank, place in
      "  rank \(rank) on \(place.0), \(Phrases.count(place.1, "thread"))"
    }
  }

  private var rankLine: String {
    let hosts = ranks.ranksOfHosts
    let places =
      hosts.count == 1
      ? "on \(hosts[0].host)"
      : "on \(hosts.count) hosts (\(hosts.map { "\($0.host): \($0.ranks)" }.joined(separator: ", ")))"
    let threads = Set(ranks.threadsOfRank).sorted().map(String.init).joined(separator: " or ")
    let sharing = ranks.sharing
    let quota = sharing.quota.map {
      "; their control group may use \($0.fixed(2)) processors at a time"
    }
    let sharers =
      sharing.isOversubscribed
      ? "; they share \(Phrases.count(sharing.processors, "processor")), whoever waits gives way"
      : ""
    let network = ranks.travelCosts.map {
      "; \($0.gigabitsPerSecond.fixed(2)) Gbit/s each way between hosts"
    }
    return "\(Phrases.count(ranks.rankCount, "rank")) \(places),"
      + " \(threads) \(threads == "1" ? "thread" : "threads") each\(sharers)\(quota ?? "")"
      + (network ?? "")
  }

  private var dataLine: String {
    let name = dataSet.identity == .fashionMNIST ? "FashionMNIST" : "data set of unknown origin"
    let classes = dataSet.classNames.map { ": \($0.joined(separator: ", "))" } ?? ""
    return "\(name), \(Phrases.count(dataSet.imageCount)) images of"
      + " \(dataSet.imageHeight) x \(dataSet.imageWidth) from \(dataSource)"
      + " (digest \(dataSet.shortDigest)), \(dataSet.classCount) classes\(classes)"
  }

  private var batchLine: String {
    let steps = settings.stepsPerEpoch(imageCount: dataSet.imageCount)
    let leftOver = dataSet.imageCount - steps * settings.globalBatchSize
    let counts = Set(rowsOfRanks).subtracting([0]).sorted()
    let share = counts.map(String.init).joined(separator: " or ")
    return
      "\(Phrases.count(steps)) an epoch, of \(settings.globalBatchSize) images, \(share) a rank"
      + (leftOver > 0 ? "; \(Phrases.count(leftOver, "image")) left out each epoch" : "")
      + (balanceLine.map { "; \($0)" } ?? "")
  }

  private var topology: Topology {
    Topology(
      rank: 0, ranksOfHosts: ranks.hosts.ranks, threadsOfRank: ranks.threadsOfRank,
      processorsOfRank: ranks.processorsOfRank)
  }

  private var placement: BatchPlacement {
    BatchPlacement(globalBatchSize: settings.globalBatchSize, topology: topology)
  }

  /// How many rows the ranks get, host by host.
  private var rowsOfRanks: [Int] { placement.rowsOfPlaces.map(\.count) }

  /// Which hosts wait for which; nil where none does.
  private var balanceLine: String? {
    RowBalance(placement, topology)
      .sentence(ranks.hosts.ranks.map { ranks.hostOfRank[$0[0]] })
  }

  /// What changes a bit; whether all ranks have rows.
  private var sumLine: String {
    let line =
      networkCollectives == .mpi && ranks.hosts.ranks.count > 1
      ? "of \(ranks.hosts.ranks.count) hosts by MPI_Iallreduce: other last digits for other hosts"
      : "in one order: the same bits for any number of ranks, threads and hosts"
    let idle = rowsOfRanks.count { $0 == 0 }
    return idle == 0
      ? line
      : line
        + "; \(ranks.rankCount - idle) of \(ranks.rankCount) ranks have rows, all have weights to update"
  }

  private var networkLine: String {
    let generator = Generator.Parameters(architecture).layout.parameterCount
    let discriminator = Discriminator.Parameters(architecture).layout.parameterCount
    return "G \(Phrases.count(generator)) parameters, D \(Phrases.count(discriminator)) parameters"
  }

  private var precisionLine: String {
    switch settings.precision {
    case .float32: "float32"
    case .bfloat16: "bfloat16 factors of matrix products; sums, weights and all else float32"
    }
  }

  private var runLine: String {
    "\(Phrases.count(settings.epochs, "epoch")), \(Phrases.count(totalSteps, "step")),"
      + " seed \(settings.seed)"
  }
}

/// config.json.
extension RunDescription {
  private struct Document: Encodable {
    struct Training: Encodable {
      let epochs: Int
      let maxSteps: Int?
      let batchSize: Int
      let learningRate, beta1, beta2, epsilon, labelSmoothing, dropout: Double
      let learningRateDecay: LearningRateDecay
      let seed: UInt64
      let precision: Precision
    }
    struct Data: Encodable {
      let folder: String
      let identity: String
      let digest: String
      let images, height, width, classes: Int
    }
    struct Machine: Encodable {
      let ranks: Int
      let hostOfRank: [String]
      let threadsOfRank: [Int]
      let mpi, libxsmm, libxsmmInstructionSet, vectorKernels: String
      let collectives: NetworkCollectives
    }
    let program: String
    let training: Training
    let architecture: Architecture
    let data: Data
    let machine: Machine
  }

  /// The whole description, keys in alphabetic order.
  var json: String {
    get throws {
      let document = Document(
        program: Version.name,
        training: .init(
          epochs: settings.epochs, maxSteps: settings.maximumSteps,
          batchSize: settings.globalBatchSize, learningRate: settings.adam.learningRate,
          beta1: settings.adam.beta1, beta2: settings.adam.beta2,
          epsilon: settings.adam.epsilon, labelSmoothing: settings.labelSmoothing,
          dropout: settings.dropout, learningRateDecay: settings.learningRateDecay,
          seed: settings.seed,
          precision: settings.precision),
        architecture: architecture,
        data: .init(
          folder: dataSource,
          identity: dataSet.identity == .fashionMNIST ? "FashionMNIST" : "unknown",
          digest: dataSet.digest.hex, images: dataSet.imageCount, height: dataSet.imageHeight,
          width: dataSet.imageWidth, classes: dataSet.classCount),
        machine: .init(
          ranks: ranks.rankCount, hostOfRank: ranks.hostOfRank,
          threadsOfRank: ranks.threadsOfRank, mpi: MPISession.libraryVersion,
          libxsmm: XSMM.version, libxsmmInstructionSet: Processor.instructionSet.description,
          vectorKernels: VectorMath.build, collectives: networkCollectives))
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
    }
  }
}

import FoundationEssentials
import GANTraining
import MPI
import MPICollectives
import Runs
import Texts
import Timelines

/// What the time of a step is spent on: means over all ranks.
struct TimeShares {
  /// Milliseconds a step, by kind.
  let milliseconds: [Timeline.Kind: Double]
  /// Milliseconds of a whole step, while its parts were timed.
  let whole: Double
  /// Milliseconds of processor time that all threads of all ranks together spend on a step without waiting, by kind.
  let work: [Timeline.Kind: Double]

  /// Every rank must call this.
  init(_ stopwatch: StepStopwatch, over communicator: Communicator) throws {
    let (steps, ranks) = (Double(stopwatch.steps), Double(communicator.rankCount))
    func mean(_ nanoseconds: Int) throws -> Double {
      Double(try communicator.allGather(nanoseconds).reduce(0, +)) / ranks / steps / 1e6
    }
    var milliseconds: [Timeline.Kind: Double] = [:]
    for kind in Timeline.Kind.allCases where kind.isPart {
      milliseconds[kind] = try mean(
        stopwatch.spans.lazy.filter { $0.kind == kind }.reduce(0) { $0 + $1.end - $1.begin })
    }
    self.milliseconds = milliseconds
    var work: [Timeline.Kind: Double] = [:]
    for kind in Timeline.Kind.allCases where kind.isWork {
      work[kind] = try ranks * mean(stopwatch.work[kind] ?? 0)
    }
    self.work = work
    whole = try mean(stopwatch.nanosecondsWithParts)
  }

  /// A kind's share of the step.
  func share(_ kind: Timeline.Kind) -> Double { (milliseconds[kind] ?? 0) / whole }

  /// What no span covers: calls, small loops, the batch's bookkeeping.
  var rest: Double { 1 - milliseconds.values.reduce(0, +) / whole }
}

/// The figures of a benchmark, for people and for programs.
struct BenchReport {
  let ranks: RankDirectory
  let settings: TrainingSettings
  let architecture: Architecture
  /// Of each step.
  let milliseconds: [Double]
  /// Floating-point operations a second that all ranks' threads reach with multiply-adds alone.
  let peak: Double
  let shares: TimeShares
  /// Where there are several hosts.
  let scaling: ScalingAdvice?

  private static let parts: [(kind: Timeline.Kind, name: String, key: String)] = [
    (.product, "matrix products", "products"),
    (.elementwise, "element-wise work", "elementwise"),
    (.random, "random numbers", "random_numbers"),
    (.update, "Adam", "adam"),
    (.sum, "sums over rows", "sums"),
    (.waiting, "exposed communication", "exposed_communication"),
  ]

  private func percentile(_ part: Double) -> Double {
    let sorted = milliseconds.sorted()
    return sorted[min(Int(part * Double(sorted.count)), sorted.count - 1)]
  }

  private var median: Double { percentile(0.5) }
  private var totalWork: Double { shares.work.values.reduce(0, +) }
  private var imagesPerSecond: Double { Double(settings.globalBatchSize) / median * 1e3 }
  private var operationsPerSecond: Double {
    StepCost.productOperations(architecture, batchSize: settings.globalBatchSize) / median * 1e3
  }

  var lines: [String] {
    func percent(_ share: Double) -> String { (100 * share).fixed(1) + " %" }
    func line(_ name: String, _ text: String) -> String { "  \(name.padding(to: 22)) \(text)" }
    let threads = Set(ranks.threadsOfRank).sorted().map(String.init).joined(separator: " or ")
    var lines = [
      "\(Version.name) bench: \(Phrases.count(ranks.rankCount, "rank")) on"
        + " \(Phrases.count(ranks.ranksOfHosts.count, "host")), \(threads)"
        + " \(threads == "1" ? "thread" : "threads") each, batch \(settings.globalBatchSize)",
      line("arithmetic", RunDescription.arithmetic),
      line(
        "step",
        "\(median.fixed(3)) ms (median of \(milliseconds.count);"
          + " 5 % below \(percentile(0.05).fixed(3)), 5 % above \(percentile(0.95).fixed(3)))"
      ),
      line("speed", "\(Phrases.count(imagesPerSecond)) images/s"),
      line(
        "products' rate",
        "\((operationsPerSecond / 1e9).fixed(1)) GFLOP/s,"
          + " \(percent(operationsPerSecond / peak)) of the \((peak / 1e9).fixed(1)) GFLOP/s"
          + " that these threads reach with multiply-adds alone"),
    ]
    if let costs = ranks.travelCosts {
      lines.append(
        line("network", "\(costs.gigabitsPerSecond.fixed(2)) Gbit/s each way from host to host"))
    }
    for part in Self.parts { lines.append(line(part.name, percent(shares.share(part.kind)))) }
    lines.append(line("all else", percent(shares.rest)))
    let parts = Self.parts.filter(\.kind.isWork).map {
      "\($0.name) \((shares.work[$0.kind] ?? 0).fixed(2))"
    }
    lines.append(
      line(
        "work of all ranks",
        "\(totalWork.fixed(2)) ms of processor time a step: \(parts.joined(separator: ", "))"
      ))
    return lines
  }

  private struct Document: Encodable {
    let program: String
    let ranks, hosts: Int
    let threadsOfRank: [Int]
    let batchSize, steps: Int
    /// The median, and what 5 % of the steps are below and above.
    let millisecondsPerStep, millisecondsPerStepLow, millisecondsPerStepHigh: Double
    let imagesPerSecond: Double
    let gigaflopsPerSecond, peakGigaflopsPerSecond, shareOfPeak: Double
    /// Of the time of a step.
    let shares: [String: Double]
    /// Processor time of all threads of all ranks, without waiting; "total" is all of it.
    let workMillisecondsPerStep: [String: Double]
    let scaling: Scaling?
    /// From host to host, each way.
    let networkGigabitsPerSecond: Double?
  }

  private struct Scaling: Encodable {
    struct Point: Encodable {
      let batchSize: Int
      let millisecondsOfOneHost, millisecondsOfAllHosts: Double
    }
    let points: [Point]
    /// Milliseconds a step that ranks wait for each other, at the first point.
    let exposedMilliseconds: Double
    /// From which batch size on the hosts reach 80 % of what so many could; absent if no point does.
    let goodBatchSize: Int?

    init(_ advice: ScalingAdvice) {
      points = advice.points.map {
        Point(
          batchSize: $0.batchSize, millisecondsOfOneHost: $0.oneHost,
          millisecondsOfAllHosts: $0.allHosts)
      }
      (exposedMilliseconds, goodBatchSize) = (advice.exposedMilliseconds, advice.goodBatchSize)
    }
  }

  /// One object, keys in alphabetic order.
  var json: String {
    get throws {
      var parts = Dictionary(
        uniqueKeysWithValues: Self.parts.map { ($0.key, shares.share($0.kind)) })
      parts["other"] = shares.rest
      var work = Dictionary(
        uniqueKeysWithValues: Self.parts.filter(\.kind.isWork).map {
          ($0.key, shares.work[$0.kind] ?? 0)
        })
      work["total"] = totalWork
      let document = Document(
        program: RunDescription.program, ranks: ranks.rankCount, hosts: ranks.ranksOfHosts.count,
        threadsOfRank: ranks.threadsOfRank, batchSize: settings.globalBatchSize,
        steps: milliseconds.count,
        millisecondsPerStep: median, millisecondsPerStepLow: percentile(0.05),
        millisecondsPerStepHigh: percentile(0.95),
        imagesPerSecond: imagesPerSecond, gigaflopsPerSecond: operationsPerSecond / 1e9,
        peakGigaflopsPerSecond: peak / 1e9, shareOfPeak: operationsPerSecond / peak,
        shares: parts, workMillisecondsPerStep: work, scaling: scaling.map(Scaling.init),
        networkGigabitsPerSecond: ranks.travelCosts?.gigabitsPerSecond)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.keyEncodingStrategy = .convertToSnakeCase
      return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
    }
  }
}

import Glibc
import Texts

/// What several hosts are good for, told from measured steps: for the end of a benchmark.
package struct ScalingAdvice: Equatable {
  /// Milliseconds a step at one batch size.
  package struct Point: Equatable {
    package let batchSize: Int
    /// Of one host alone, and of all hosts together.
    package let oneHost, allHosts: Double

    package init(batchSize: Int, oneHost: Double, allHosts: Double) {
      (self.batchSize, self.oneHost, self.allHosts) = (batchSize, oneHost, allHosts)
    }

    package var speedUp: Double { oneHost / allHosts }
  }

  /// The part of `hosts` times one host that is asked for.
  package static let goodEfficiency = 0.8

  package let hostCount: Int
  /// In ascending order of batch sizes; the first is the benchmark's.
  package let points: [Point]
  /// Milliseconds a step of the first point that ranks wait for each other.
  package let exposedMilliseconds: Double

  package init(hostCount: Int, points: [Point], exposedMilliseconds: Double) {
    precondition(!points.isEmpty, "advice from nothing")
    (self.hostCount, self.points) = (hostCount, points)
    self.exposedMilliseconds = exposedMilliseconds
  }

  /// The part of `hosts` times one host that a point reaches.
  package static func efficiency(_ point: Point, hostCount: Int) -> Double {
    point.speedUp / Double(hostCount)
  }

  /// Whether the last point is good, so that no larger batch has to be tried.
  package var isComplete: Bool {
    points.last.map { Self.efficiency($0, hostCount: hostCount) >= Self.goodEfficiency } ?? false
  }

  /// The batch size from which on the hosts reach 80 % of `hosts` times one host, to two digits; between two points
  /// along the logarithm of the size. Nil if no point reaches that.
  package var goodBatchSize: Int? {
    let efficiencies = points.map { Self.efficiency($0, hostCount: hostCount) }
    guard let index = efficiencies.firstIndex(where: { $0 >= Self.goodEfficiency }) else {
      return nil
    }
    guard index > 0 else { return points[0].batchSize }
    let (low, high) = (efficiencies[index - 1], efficiencies[index])
    let part = (Self.goodEfficiency - low) / (high - low)
    let (small, large) = (Double(points[index - 1].batchSize), Double(points[index].batchSize))
    let size = small * pow(large / small, part)
    let digit = max(pow(10, (log10(size) - 1).rounded(.down)), 1)
    return Int((size / digit).rounded(.up) * digit)
  }

  /// One line for people.
  package var line: String {
    let first = points[0]
    let hosts = "\(hostCount) hosts"
    let speed =
      "\(first.speedUp.fixed(2)) times as fast as one host"
      + " (\(first.oneHost.fixed(2)) ms a step) at batch \(first.batchSize)"
    let cost = "ranks wait \(exposedMilliseconds.fixed(2)) ms a step for each other"
    let percent = "\(Int(100 * Self.goodEfficiency)) % of \(hostCount) times one host"
    let last = points[points.count - 1].batchSize
    let good =
      switch goodBatchSize {
      case first.batchSize: "they reach \(percent)"
      case let size?: "they reach \(percent) from some \(Phrases.count(size)) images a batch on"
      case nil where points.count == 1: "they do not reach \(percent)"
      case nil: "they do not reach \(percent) up to \(Phrases.count(last)) images a batch"
      }
    return "\(hosts) are \(speed); \(cost); \(good)"
  }
}

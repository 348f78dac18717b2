import Foundation
import TestSupport
import Testing

/// Twenty steps on the real data with any number of ranks: the same losses and weights.
@Suite(.serialized) struct RankIndependenceTests {
  private static let steps = 20

  private struct Trajectory {
    var losses: [Double]
    var weights: [Float]
  }

  /// Trains under mpirun; the job itself checks that all its ranks hold the same bits.
  private func train(ranks: Int, batch: Int = 64, _ extra: String...) throws -> Trajectory {
    let scratch = try TemporaryFolder()
    let file = scratch.path("trajectory")
    let job = try Command.mpirun(
      ranks: ranks, BuiltProgram.path("mpi-checks"),
      ["train", file, "\(batch)", "\(Self.steps)"] + extra)
    try #require(job.status == 0, "\(job.transcript)")
    let data = try Data(contentsOf: scratch.url("trajectory"))
    let lossBytes = 4 * Self.steps * MemoryLayout<Double>.stride
    try #require(data.count > lossBytes + 4 * 1_000_000)
    return data.withUnsafeBytes { bytes in
      Trajectory(
        losses: (0..<4 * Self.steps).map {
          bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self)
        },
        weights: (0..<(bytes.count - lossBytes) / 4).map {
          bytes.loadUnaligned(fromByteOffset: lossBytes + 4 * $0, as: Float.self)
        })
    }
  }

  private func largestRelativeDifference(_ a: [Double], _ b: [Double]) -> Double {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) / abs($1) }.max() ?? .infinity : .infinity
  }

  @Test func theResultDoesNotDependOnTheRanks() throws {
    let one = try train(ranks: 1)
    for ranks in [2, 3, 4, 7] {
      let several = try train(ranks: ranks)
      try expectSame(several, one, "\(ranks) ranks")
    }
  }

  /// Whether ranks share the state or each has its own changes no bit.
  @Test(arguments: [2, 3])
  func sharedStatesAreThoseOfEachRankAlone(ranks: Int) throws {
    let shared = try train(ranks: ranks)
    let alone = try train(ranks: ranks, "private-replicas")
    #expect(shared.losses == alone.losses)
    let isSame = shared.weights.map(\.bitPattern) == alone.weights.map(\.bitPattern)
    #expect(isSame)
  }

  /// Summed in one tree, not a bit depends on the ranks; 100 images make a last logical shard of 4.
  @Test(arguments: [64, 100])
  func reproducibleRunsAreTheSameBitForBit(batch: Int) throws {
    let one = try train(ranks: 1, batch: batch, "reproducible")
    for ranks in [2, 3, 7] {
      let several = try train(ranks: ranks, batch: batch, "reproducible")
      let isSame =
        several.losses == one.losses
        && several.weights.map(\.bitPattern) == one.weights.map(\.bitPattern)
      #expect(isSame, "\(ranks) ranks")
    }
    // The comparison can fail.
    let unordered = try train(ranks: 3, batch: batch).weights == one.weights
    #expect(!unordered)
  }

  @Test func ranksMayOutnumberTheRows() throws {
    try expectSame(
      try train(ranks: 7, batch: 4), try train(ranks: 1, batch: 4), "7 ranks for 4 rows")
  }

  /// The comparison can fail: with BatchNorm left local the losses are others.
  @Test func localBatchNormDiffers() throws {
    let local = try train(ranks: 4, "local")
    #expect(largestRelativeDifference(local.losses, try train(ranks: 1).losses) > 1e-3)
  }

  private func expectSame(
    _ actual: Trajectory, _ expected: Trajectory, _ name: String
  ) throws {
    let lossDifference = largestRelativeDifference(actual.losses, expected.losses)
    #expect(lossDifference <= 1e-5, "\(name)")
    try #require(actual.weights.count == expected.weights.count)
    let distances = zip(actual.weights, expected.weights).map { abs($0 - $1) }.sorted()
    let percentile = distances[distances.count * 999 / 1000]
    let largest = try #require(distances.last)
    print(
      "\(name): losses within \(lossDifference) of one rank's; weights: 99.9th percentile \(percentile), largest \(largest)"
    )
    // Rounding moves a weight whose gradient is nearly zero by up to a learning rate (1e-4) a step, such as the biases
    // before a BatchNorm and the running means behind them; all others by next to nothing.
    #expect(percentile <= 1e-4, "\(name)")
    #expect(largest <= 2e-3, "\(name)")
  }
}

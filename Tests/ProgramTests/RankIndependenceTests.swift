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

  private func expectSame(_ actual: Trajectory, _ expected: Trajectory, _ name: String) {
    #expect(actual.losses == expected.losses, "\(name)")
    let isSame = actual.weights.map(\.bitPattern) == expected.weights.map(\.bitPattern)
    #expect(isSame, "\(name)")
  }

  /// Not a bit depends on the ranks, nor on whether they share memory; 100 images make a last block of 4.
  @Test(arguments: [64, 100]) func noBitDependsOnTheRanks(batch: Int) throws {
    let one = try train(ranks: 1, batch: batch)
    for ranks in [2, 3, 7] {
      expectSame(try train(ranks: ranks, batch: batch), one, "\(ranks) ranks")
    }
    for ranks in [2, 3] {
      expectSame(
        try train(ranks: ranks, batch: batch, "own-hosts"), one, "\(ranks) hosts of one rank")
    }
  }

  @Test func ranksMayOutnumberTheRows() throws {
    expectSame(
      try train(ranks: 7, batch: 4), try train(ranks: 1, batch: 4), "7 ranks for 4 rows")
  }

  /// MPI adds hosts up in an order of its own: close, but not the same. Of seven hosts two have no rows.
  @Test(arguments: [(2, 64), (3, 100), (7, 40)])
  func collectivesOfMPIAreClose(ranks: Int, batch: Int) throws {
    let one = try train(ranks: 1, batch: batch)
    let hosts = try train(ranks: ranks, batch: batch, "mpi")
    let distances = zip(hosts.losses, one.losses).map { abs($0 - $1) / abs($1) }
    #expect(distances.count == 4 * Self.steps)
    #expect((distances.max() ?? .infinity) <= 1e-4, "\(distances)")
    #expect(hosts.losses != one.losses)
  }

  /// The comparison can fail: where BatchNorm's sums of other hosts do not arrive, the losses are others.
  @Test func localBatchNormDiffers() throws {
    let (deaf, one) = (try train(ranks: 4, "deaf"), try train(ranks: 1))
    let distances = zip(deaf.losses, one.losses).map { abs($0 - $1) / abs($1) }
    #expect(distances.count == 4 * Self.steps)
    #expect(!((distances.max() ?? 0) <= 1e-3))
  }
}

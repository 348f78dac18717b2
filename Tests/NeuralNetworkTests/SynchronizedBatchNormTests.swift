import Matrices
import NeuralNetwork
import TestSupport
import Testing

/// BatchNorm on several ranks is BatchNorm of the whole batch on one.
@Suite struct SynchronizedBatchNormTests {
  private struct Outcome {
    var output: [Float] = []
    var inputGradient: [Float] = []
    var runningMean: [Float] = []
    var runningVariance: [Float] = []
    var scaleGradient: [Float] = []
  }

  private static let features = 5

  /// One training pass, forward and backward, over this rank's rows of fixed numbers.
  /// - Parameter isLocal: the broken version, in which every rank normalises for itself.
  private static func run(
    globalRows: Int, collective: any Collective, isLocal: Bool = false
  ) throws -> Outcome {
    let workspace = Workspace()
    defer { withExtendedLifetime(workspace) {} }
    let batch = DistributedBatch(globalBatchSize: globalRows, collective: collective)
    let rows = batch.shard.rows
    var (layout, buffers) = (ParameterLayout(), ParameterLayout())
    let parameters = BatchNorm.Parameters("1", size: features, in: &layout, buffers: &buffers)
    let values = try ParameterArena(layout)
    let state = try ParameterArena(buffers)
    parameters.initialize(values)
    parameters.initializeBuffers(state)
    let input = try Signal(
      rows: rows.count, features: features, differentiableRows: rows.count, in: workspace)
    let reduction = try collective.makeReduction(
      name: "gradients", of: layout, over: batch.shard.partition)
    let layer = try BatchNorm(
      parameters, values: values, buffers: state,
      gradients: isLocal ? nil : PartialGradients(reduction.parts, shard: batch.shard),
      input: input, slope: 0.2,
      batch: isLocal ? .solo(rows: rows.count) : batch, name: "test", workspace: workspace)
    let whole = workspace.normals(rows: globalRows, columns: features, stream: 1, deviation: 2)
    let cotangent = workspace.normals(rows: globalRows, columns: features, stream: 2)
    _ = input.value.buffer.update(from: whole.rows(rows).buffer)
    try layer.forward(.training)
    var outcome = Outcome()
    outcome.output = Array(layer.output.value.buffer)
    guard let gradient = layer.output.gradient else { return outcome }
    _ = gradient.buffer.update(from: cotangent.rows(rows).buffer)
    try layer.backward()
    try reduction.start()
    try reduction.finish()
    outcome.inputGradient = Array(gradient.buffer)
    outcome.runningMean = Array(state.matrix(parameters.runningMean).buffer)
    outcome.runningVariance = Array(state.matrix(parameters.runningVariance).buffer)
    outcome.scaleGradient = Array(reduction.sum.matrix(parameters.scale).buffer)
    return outcome
  }

  @Test(arguments: [(64, 2), (64, 3), (64, 7), (5, 5), (3, 7), (2, 4)])
  func ranksTogetherAreOneBatch(globalRows: Int, rankCount: Int) throws {
    let one = try Self.run(globalRows: globalRows, collective: SoloCollective())
    let ranks = ThreadTeam.run(rankCount: rankCount) {
      try Self.run(globalRows: globalRows, collective: $0)
    }
    #expect(
      difference(ranks.flatMap(\.output), one.output, atol: 1e-6, rtol: 1e-6) == nil)
    #expect(
      difference(ranks.flatMap(\.inputGradient), one.inputGradient, atol: 2e-6, rtol: 2e-6) == nil)
    for rank in ranks {
      #expect(difference(rank.runningMean, one.runningMean, atol: 1e-7, rtol: 1e-6) == nil)
      #expect(difference(rank.runningVariance, one.runningVariance, atol: 1e-7, rtol: 1e-6) == nil)
      #expect(difference(rank.scaleGradient, one.scaleGradient, atol: 1e-5, rtol: 1e-5) == nil)
    }
  }

  @Test(arguments: [2, 3, 7])
  func allRanksHoldTheSameBits(rankCount: Int) {
    let ranks = ThreadTeam.run(rankCount: rankCount) {
      try Self.run(globalRows: 64, collective: $0)
    }
    for rank in ranks.dropFirst() {
      #expect(rank.runningMean == ranks[0].runningMean)
      #expect(rank.runningVariance == ranks[0].runningVariance)
    }
  }

  /// The comparison above can fail: statistics of each rank's own rows give other numbers.
  @Test func localStatisticsDiffer() throws {
    let one = try Self.run(globalRows: 64, collective: SoloCollective())
    let ranks = ThreadTeam.run(rankCount: 4) {
      try Self.run(globalRows: 64, collective: $0, isLocal: true)
    }
    #expect(difference(ranks.flatMap(\.output), one.output, atol: 1e-2, rtol: 1e-2) != nil)
  }
}

import Collectives
import Glibc
import Matrices
import Randomness
import TestSupport
import Testing

@testable import NeuralNetwork

/// backward against finite differences of forward (see `FiniteDifferences` for step and tolerance).
@Suite struct GradientTests {
  private let workspace = Workspace()

  private func expectClose(
    _ gradient: Matrix, _ differences: [Double],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      difference(
        gradient.buffer, differences, atol: FiniteDifferences.tolerance,
        rtol: FiniteDifferences.tolerance) == nil, sourceLocation: sourceLocation)
  }

  @Test(arguments: [ProductActivation.identity, .leakyReLU(slope: 0.2), .tanh])
  func linear(activation: ProductActivation) throws {
    let (rows, inputSize, outputSize) = (5, 7, 6)
    var layout = ParameterLayout()
    let parameters = Linear.Parameters(
      "0", inputSize: inputSize, outputSize: outputSize, in: &layout)
    let values = try ParameterArena(layout)
    let (weight, bias) = (values.matrix(parameters.weight), values.matrix(parameters.bias))
    _ = weight.buffer.update(
      from: workspace.normals(rows: outputSize, columns: inputSize, stream: 1, deviation: 0.5)
        .buffer)
    _ = bias.buffer.update(
      from: workspace.normals(rows: 1, columns: outputSize, stream: 2, deviation: 0.5).buffer)
    let layer = try SingleLinear(
      parameters, values, workspace.normals(rows: rows, columns: inputSize, stream: 3), activation,
      batch: .solo(rows: rows))
    let (input, output, gradients) = (layer.linear.input, layer.linear.output, layer.gradients)
    let cotangent = workspace.normals(rows: rows, columns: outputSize, stream: 4)

    try layer.forward()
    if case .leakyReLU = activation {
      // A kink within a step of zero would make the quotient meaningless, not the gradient.
      #expect(output.value.buffer.allSatisfy { abs($0) > 0.002 })
    }
    _ = try #require(output.gradient).buffer.update(from: cotangent.buffer)
    try layer.backward()
    func loss() throws -> Double {
      try layer.forward()
      return FiniteDifferences.loss(output.value, cotangent)
    }
    expectClose(
      try #require(input.gradient), try FiniteDifferences.gradient(of: input.value, loss: loss))
    expectClose(
      gradients.matrix(parameters.weight), try FiniteDifferences.gradient(of: weight, loss: loss))
    expectClose(
      gradients.matrix(parameters.bias), try FiniteDifferences.gradient(of: bias, loss: loss))
  }

  @Test func dropout() throws {
    let batch = DistributedBatch.solo(rows: 4)
    let signal = try Signal(
      value: workspace.normals(rows: 4, columns: 9, stream: 1),
      gradient: workspace.normals(rows: 4, columns: 9, stream: 2), differentiablePasses: 1,
      of: batch)
    let (values, cotangent) = (
      Array(signal.value.buffer), Array(try #require(signal.gradient).buffer)
    )
    let layer = try Dropout(
      features: 9, passes: 1, rows: 0..<4, probability: 0.3, in: workspace)
    let list = InstructionList()
    layer.draw(pass: 0, from: RandomSource(seed: 1), stream: 32, in: list)
    layer.forward(signal, in: list)
    layer.backward(signal, in: list)
    Phase([list]).run()
    // The output is linear in the input: its derivative is the multiplier itself.
    #expect(zip(values, layer.multipliers.buffer).map(*) == Array(signal.value.buffer))
    #expect(zip(cotangent, layer.multipliers.buffer).map(*) == Array(signal.gradient!.buffer))
    #expect(Set(layer.multipliers.buffer).count == 2)
  }

  @Test(arguments: [0.0, 0.9, 1.0])
  func binaryCrossEntropy(target: Double) throws {
    let logits = workspace.normals(rows: 8, columns: 1, stream: 1, deviation: 3)
    let batch = DistributedBatch.solo(rows: 8)
    let means = try RowMeans(count: 2, of: batch)
    let signal = try Signal(
      value: logits, gradient: batch.matrix(rows: 8, columns: 1), differentiablePasses: 1, of: batch
    )
    let list = InstructionList()
    list.binaryCrossEntropy(
      signal, 0..<8, ofPass: 0, target: target, batchSize: 8, means: means, loss: 1,
      probability: 0)
    means.addUp(0..<8, in: list)
    let phase = Phase([list])
    func loss() -> Double {
      phase.run()
      means.take()
      return means[1]
    }
    _ = loss()
    let gradient = Array(try #require(signal.gradient).buffer)
    let probability = logits.buffer.reduce(0.0) { $0 + 1 / (1 + exp(-Double($1))) } / 8
    #expect(abs(means[0] - probability) < 1e-12)
    let differences = FiniteDifferences.gradient(of: logits) { loss() }
    #expect(difference(gradient, differences, atol: 1e-5, rtol: 1e-5) == nil)
  }

  /// The loss is summed over ranks: each number's gradient holds its effect on all ranks' rows.
  @Test(arguments: [(6, 1), (6, 2), (7, 3), (5, 7)])
  func batchNorm(globalRows: Int, rankCount: Int) {
    let differences = ThreadTeam.run(rankCount: rankCount) { collective in
      try Self.batchNormDifferences(globalRows: globalRows, collective: collective)
    }
    for (rank, texts) in differences.enumerated() {
      #expect(texts.isEmpty, "rank \(rank)")
    }
  }

  /// What is wrong with one rank's gradients. Every rank must call this.
  private static func batchNormDifferences(
    globalRows: Int, collective: any Collective
  ) throws -> [String] {
    let workspace = Workspace()
    defer { withExtendedLifetime(workspace) {} }
    let features = 4
    let batch = DistributedBatch(globalBatchSize: globalRows, collective: collective)
    let rows = batch.placement.rowsOfThreads[0]
    var (layout, buffers) = (ParameterLayout(), ParameterLayout())
    let parameters = BatchNorm.Parameters("1", size: features, in: &layout, buffers: &buffers)
    let values = try ParameterArena(layout)
    let state = try ParameterArena(buffers)
    parameters.initialize(values)
    parameters.initializeBuffers(state)
    let (scale, shift) = (values.matrix(parameters.scale), values.matrix(parameters.shift))
    for feature in 0..<features {
      scale[0, feature] = 1 + 0.2 * Float(feature)
      shift[0, feature] = 0.1 * Float(feature)
    }
    // All ranks know the whole batch, so that all can shift the same number of it.
    let wholeInput = workspace.normals(rows: globalRows, columns: features, stream: 1)
    let wholeCotangent = workspace.normals(rows: globalRows, columns: features, stream: 2)
    let layer = try SingleBatchNorm(
      parameters, values, state, features: features, batch: batch)
    let (input, output) = (layer.input, layer.norm.output)
    let lossSum = try AllGather(name: "loss", count: 1, over: collective)
    let allHaveRead = try collective.makeBarrier(name: "read")

    func loss() throws -> Double {
      _ = input.value.rows(rows).buffer.update(from: wholeInput.rows(rows).buffer)
      try layer.forward()
      lossSum.contribution[0] = FiniteDifferences.loss(
        output.value.rows(rows), wholeCotangent.rows(rows))
      try lossSum.run()
      let loss = (0..<collective.rankCount).reduce(0.0) { $0 + lossSum.ofRank($1)[0] }
      try allHaveRead.run()
      return loss
    }

    _ = try loss()
    guard let gradient = output.gradient, let inputGradient = input.gradient else {
      return ["no gradient"]
    }
    _ = gradient.rows(rows).buffer.update(from: wholeCotangent.rows(rows).buffer)
    try layer.backward()
    let ownGradient = Array(inputGradient.rows(rows).buffer)

    // Every rank takes the same quotients, also of rows it does not own: loss() is collective.
    let ofInput = try FiniteDifferences.gradient(of: wholeInput, loss: loss)
    let ofScale = try FiniteDifferences.gradient(of: scale, loss: loss)
    let ofShift = try FiniteDifferences.gradient(of: shift, loss: loss)
    // BatchNorm's third derivatives are larger than a linear layer's: 1/deviation³ comes in.
    let tolerance = 4 * FiniteDifferences.tolerance
    var texts: [String] = []
    if !rows.isEmpty {
      let expected = ofInput[rows.lowerBound * features..<rows.upperBound * features]
      if let text = difference(ownGradient, expected, atol: tolerance, rtol: tolerance) {
        texts.append("input: \(text)")
      }
    }
    for (name, entry, expected) in [
      ("scale", parameters.scale, ofScale), ("shift", parameters.shift, ofShift),
    ] {
      if let text = difference(
        layer.gradients.matrix(entry).buffer, expected, atol: tolerance, rtol: tolerance)
      {
        texts.append("\(name): \(text)")
      }
    }
    return texts
  }
}

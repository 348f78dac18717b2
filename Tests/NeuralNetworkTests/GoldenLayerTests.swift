import Collectives
import Matrices
import Randomness
import TestSupport
import Testing

@testable import NeuralNetwork

/// Every layer against PyTorch: Tests/Golden/README.md says how the numbers were made.
@Suite struct GoldenLayerTests {
  private let workspace = Workspace()
  private let document: Golden.Node

  init() throws { document = try Golden.document("layers.json") }

  @Test(
    arguments: [
      ("linear", ProductActivation.identity),
      ("linearLeakyReLU", .leakyReLU(slope: 0.2)),
      ("linearTanh", .tanh),
    ])
  func linear(name: String, activation: ProductActivation) throws {
    let golden = document[name]
    let input = golden["input"].matrix(in: workspace)
    let batch = DistributedBatch.solo(rows: input.rows)
    var layout = ParameterLayout()
    let parameters = Linear.Parameters(
      "0", inputSize: input.columns, outputSize: golden["bias"].shape[0], in: &layout)
    let values = try ParameterArena(layout)
    fill(values.matrix(parameters.weight), golden["weight"])
    fill(values.matrix(parameters.bias), golden["bias"])
    let layer = try SingleLinear(parameters, values, input, activation, batch: batch)
    try layer.forward()
    try expect(layer.linear.output.value, golden["output"])
    fill(try #require(layer.linear.output.gradient), golden["dy"])
    try layer.backward()
    try expect(try #require(layer.linear.input.gradient), golden["inputGradient"])
    try expect(layer.gradients.matrix(parameters.weight), golden["weightGradient"])
    try expect(layer.gradients.matrix(parameters.bias), golden["biasGradient"])
  }

  /// Two training batches, so that the running statistics move twice; then inference.
  @Test(arguments: [("batchNorm", 2e-6), ("batchNormLargeMean", 4e-3)])
  func batchNorm(name: String, tolerance: Double) throws {
    // With a mean of 1000 the input itself is rounded to 6e-5 of a deviation of 0.1, and so is the mean.
    let golden = document[name]
    let size = golden["scale"].shape[0]
    let (first, second) = (
      golden["input1"].matrix(in: workspace), golden["input2"].matrix(in: workspace)
    )
    var (layout, buffers) = (ParameterLayout(), ParameterLayout())
    let parameters = BatchNorm.Parameters("1", size: size, in: &layout, buffers: &buffers)
    let values = try ParameterArena(layout)
    let state = try ParameterArena(buffers)
    parameters.initialize(values)
    parameters.initializeBuffers(state)
    fill(values.matrix(parameters.scale), golden["scale"])
    fill(values.matrix(parameters.shift), golden["shift"])
    let layer = try SingleBatchNorm(
      parameters, values, state, features: size, batch: .solo(rows: first.rows))
    let input = layer.input
    func expectGradient(_ entry: ParameterLayout.Entry, _ node: Golden.Node) throws {
      try expect(layer.gradients.matrix(entry), node, atol: tolerance)
    }

    _ = input.value.buffer.update(from: first.buffer)
    try layer.forward()
    try expect(layer.norm.output.value, golden["output1"], atol: tolerance)
    try expect(state.matrix(parameters.runningMean), golden["runningMean1"])
    try expect(state.matrix(parameters.runningVariance), golden["runningVariance1"])

    _ = input.value.buffer.update(from: second.buffer)
    try layer.forward()
    try expect(layer.norm.output.value, golden["output2"], atol: tolerance)
    try expect(state.matrix(parameters.runningMean), golden["runningMean2"])
    try expect(state.matrix(parameters.runningVariance), golden["runningVariance2"])

    fill(try #require(layer.norm.output.gradient), golden["dy2"])
    try layer.backward()
    try expect(try #require(input.gradient), golden["inputGradient2"], atol: tolerance)
    try expectGradient(parameters.scale, golden["scaleGradient2"])
    try expectGradient(parameters.shift, golden["shiftGradient2"])

    _ = input.value.buffer.update(from: first.buffer)
    try layer.forwardByRunningStatistics()
    try expect(layer.norm.output.value, golden["evalOutput1"], atol: tolerance)
  }

  @Test func binaryCrossEntropy() throws {
    let golden = document["binaryCrossEntropy"]
    let logits = golden["logits"].floats
    for target in golden["targets"].elements {
      let values = logits.map {
        BinaryCrossEntropy.evaluate(logit: $0, target: target["target"].number)
      }
      let count = Double(logits.count)
      let expected = target["lossBCEWithLogitsLoss"].number
      let loss = values.reduce(0) { $0 + $1.loss } / count
      #expect(abs(loss - expected) <= 1e-6 * abs(expected))
      // PyTorch's sigmoid is float32: off by up to 2^-24, divided by 12 rows.
      let gradient = values.map { ($0.probability - target["target"].number) / count }
      #expect(difference(gradient, target["gradient"].values, atol: 6e-9, rtol: 1e-6) == nil)
    }
  }

  /// BCELoss behind a sigmoid clamps logarithms at -100; within that, both losses are one.
  @Test func theNotebooksLossIsTheSameUpToItsClamp() {
    let golden = document["binaryCrossEntropy"]
    let logits = golden["logits"].values
    var compared = 0
    for target in golden["targets"].elements {
      let each = target["eachBCELoss"].values
      for (index, logit) in logits.enumerated() where abs(logit) <= 1.5 {
        let loss = BinaryCrossEntropy.evaluate(
          logit: Float(logit), target: target["target"].number
        ).loss
        #expect(abs(loss - each[index]) <= 1e-6)
        compared += 1
      }
    }
    #expect(compared > 0)
  }

  @Test func adam() throws {
    let golden = document["adam"]
    let initial = golden["parameters"]
    var layout = ParameterLayout()
    let entry = layout.add("all", shape: [initial.values.count])
    let (values, gradients) = try (ParameterArena(layout), ParameterArena(layout))
    fill(values.matrix(entry), initial)
    let adam = try Adam(
      values,
      settings: .init(
        learningRate: golden["learningRate"].number, beta1: golden["beta1"].number,
        beta2: golden["beta2"].number, epsilon: golden["epsilon"].number),
      over: SoloCollective())
    let list = InstructionList()
    list.adam(
      adam, gradients: gradients.values.baseAddress!, at: entry.offset, count: entry.count,
      rounded: nil)
    let phase = Phase([list])
    for step in golden["steps"].elements {
      fill(gradients.matrix(entry), step["gradient"])
      adam.beginStep()
      phase.run()
      #expect(adam.isFinite)
      try expect(values.matrix(entry), step["parameters"], atol: 1e-9, rtol: 3e-7)
      // Old moment and gradient may cancel, and PyTorch interpolates from the other end: a few units in the last place.
      try expect(adam.firstMoments.matrix(entry), step["exp_avg"], atol: 1e-30, rtol: 5e-6)
      try expect(adam.secondMoments.matrix(entry), step["exp_avg_sq"], atol: 1e-35, rtol: 3e-7)
    }
    #expect(adam.stepCount == golden["steps"].elements.count)
  }

  @Test func initialWeights() throws {
    let golden = document["random"]
    let draw = golden["initialWeights"]
    let inputSize = draw["inputSize"].integer
    var layout = ParameterLayout()
    let parameters = Linear.Parameters("6", inputSize: inputSize, outputSize: 512, in: &layout)
    let values = try ParameterArena(layout)
    values.values.update(repeating: 7)
    parameters.initialize(
      values, from: RandomSource(seed: golden["seed"].seed),
      stream: UInt32(draw["stream"].integer), layerIndex: draw["layer"].integer)
    let row = values.matrix(parameters.weight).rows(draw["row"].integer..<draw["row"].integer + 1)
    let expected = draw["first"].floats
    #expect(Array(row.buffer.prefix(expected.count)) == expected)
    #expect(values.matrix(parameters.bias).buffer.allSatisfy { $0 == 0 })
  }

  private func fill(_ matrix: Matrix, _ node: Golden.Node) {
    let values = node.values
    precondition(values.count == matrix.count)
    for (index, value) in values.enumerated() { matrix.buffer[index] = Float(value) }
  }

  private func expect(
    _ matrix: Matrix, _ node: Golden.Node, atol: Double = 1e-6, rtol: Double = 1e-6,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let difference = difference(matrix.buffer, node.values, atol: atol, rtol: rtol)
    #expect(difference == nil, sourceLocation: sourceLocation)
  }
}

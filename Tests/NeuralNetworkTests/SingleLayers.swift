import Collectives
import Matrices

@testable import NeuralNetwork

/// Gradients that are not stored become visible: with η = 0 and β1 = 0, Adam's m is the gradient.
private func gradientsAsMoments(
  _ values: ParameterArena, over collective: any Collective
) throws -> Adam {
  try Adam(values, settings: .init(learningRate: 0, beta1: 0), over: collective)
}

/// A linear layer on one rank, as programs of its own.
final class SingleLinear {
  let linear: Linear
  private let adam: Adam
  private let passes: (forward: [Program.Stage], backward: [Program.Stage])
  /// After ``backward()``.
  var gradients: ParameterArena { adam.firstMoments }

  init(
    _ parameters: Linear.Parameters, _ values: ParameterArena, _ input: Matrix,
    _ activation: ProductActivation, batch: DistributedBatch
  ) throws {
    let linear = Linear(
      parameters, weights: ProductWeights(values),
      input: try Signal(
        value: input, gradient: batch.matrix(rows: input.rows, columns: input.columns),
        differentiablePasses: 1, of: batch),
      output: try Signal(features: parameters.outputSize, differentiablePasses: 1, of: batch),
      activation: activation, isTrained: true, batch: batch, name: "linear")
    let adam = try gradientsAsMoments(values, over: batch.collective)
    (self.linear, self.adam) = (linear, adam)
    let (forward, backward) = (Program(batch), Program(batch))
    try forward.everyWorker { try linear.forward($0, in: $1) }
    try backward.everyWorker { try linear.backward($0, in: $1) }
    try backward.meet("rows")
    try backward.everyWorker { _, list in
      guard list.thread == 0 else { return }
      try linear.update(0..<parameters.outputSize, by: adam, in: list)
    }
    passes = (forward.finish(), backward.finish())
  }

  func forward() throws { for stage in passes.forward { _ = try stage.run() } }

  func backward() throws {
    adam.beginStep()
    for stage in passes.backward { _ = try stage.run() }
  }
}

/// A BatchNorm layer as programs of its own. Every rank must call everything.
final class SingleBatchNorm {
  let norm: BatchNorm
  let input: Signal
  private let adam: Adam
  private let passes:
    (forward: [Program.Stage], inference: [Program.Stage], backward: [Program.Stage])
  private let isDeafLeader: Bool
  /// After ``backward()``.
  var gradients: ParameterArena { adam.firstMoments }

  /// - Parameter isDeaf: the broken version, in which no exchange brings what other hosts add up.
  init(
    _ parameters: BatchNorm.Parameters, _ values: ParameterArena, _ state: ParameterArena,
    features: Int, batch: DistributedBatch, isDeaf: Bool = false
  ) throws {
    let input = try Signal(features: features, differentiablePasses: 1, of: batch)
    let norm = try BatchNorm(
      parameters, values: values, buffers: state, input: input, slope: 0.2, batch: batch,
      name: "test")
    let adam = try gradientsAsMoments(values, over: batch.collective)
    (self.norm, self.input, self.adam) = (norm, input, adam)
    let (forward, inference, backward) = (Program(batch), Program(batch), Program(batch))
    forward.everyWorker { norm.addUpInput($0, in: $1) }
    try forward.meet("forward", inside: isDeaf ? [] : [norm.inputMoments])
    if isDeaf { try forward.meet("deaf") }
    try forward.everyWorker { try norm.forward($0, in: $1) }
    try forward.meet("end")
    inference.everyWorker { norm.forwardByRunningStatistics($0, in: $1) }
    backward.everyWorker { norm.addUpGradient($0, in: $1) }
    try backward.meet("backward", inside: isDeaf ? [] : [norm.gradientMoments])
    if isDeaf { try backward.meet("deaf") }
    let topology = batch.collective.topology
    try backward.everyWorker { rows, list in
      try norm.backward(rows, in: list)
      norm.update(
        BatchPlacement.share(
          topology.ownWorkers.lowerBound + list.thread, of: features, over: topology.workerCount),
        by: adam, in: list)
    }
    try backward.meet("end")
    passes = (forward.finish(), inference.finish(), backward.finish())
    isDeafLeader = isDeaf && topology.isLeader
  }

  /// Runs a program; a deaf leader adds up its own host's blocks and hears of no other's.
  private func run(_ stages: [Program.Stage], _ moments: Movement) throws {
    for (index, stage) in stages.enumerated() {
      if index == 1 && isDeafLeader { moments.prepare() }
      _ = try stage.run()
    }
  }

  func forward() throws { try run(passes.forward, norm.inputMoments) }
  func forwardByRunningStatistics() throws { for stage in passes.inference { _ = try stage.run() } }

  func backward() throws {
    adam.beginStep()
    try run(passes.backward, norm.gradientMoments)
  }
}

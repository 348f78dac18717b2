import Collectives
import MNISTFamily
import Matrices
import NeuralNetwork
import TestSupport
import Testing

@testable import GANTraining

/// Ten steps of the whole GAN on the real data against the notebook's PyTorch (Tests/Golden/README.md).
@Suite struct TrajectoryTests {
  private let golden: Golden.Node

  init() throws { golden = try Golden.document("trajectory.json") }

  /// Watches the losses of each step.
  private final class Recorder: TrainingObserver {
    var steps: [LossSummary] = []
    private var sum = LossSummary()

    func stepDidEnd(_ progress: TrainingProgress) {
      // The means are over the steps so far.
      let count = Double(progress.stepInEpoch)
      var step = LossSummary()
      step.discriminatorLoss = progress.means.discriminatorLoss * count - sum.discriminatorLoss
      step.generatorLoss = progress.means.generatorLoss * count - sum.generatorLoss
      step.probabilityOfReal = progress.means.probabilityOfReal * count - sum.probabilityOfReal
      step.probabilityOfFake = progress.means.probabilityOfFake * count - sum.probabilityOfFake
      steps.append(step)
      sum += step
    }
  }

  private func train() throws -> (Trainer, [LossSummary]) {
    var settings = TrainingSettings()
    settings.seed = golden["settings"]["seed"].seed
    settings.globalBatchSize = golden["settings"]["batch"].integer
    settings.maximumSteps = golden["settings"]["steps"].integer
    let dataSet = try DataLocation.resolve(explicitFolder: nil).readTrainingSet()
    let trainer = try Trainer(dataSet, settings: settings, collective: SoloCollective())
    let recorder = Recorder()
    _ = try trainer.run(observer: recorder)
    return (trainer, recorder.steps)
  }

  /// The largest relative difference of any loss or probability of any step.
  private func largestDifference(_ steps: [LossSummary], from node: Golden.Node) throws -> Double {
    let expected = node.elements
    try #require(steps.count == expected.count)
    return zip(steps, expected).flatMap { actual, expected in
      [
        (actual.discriminatorLoss, expected["loss_d"].number),
        (actual.generatorLoss, expected["loss_g"].number),
        (actual.probabilityOfReal, expected["p_real"].number),
        (actual.probabilityOfFake, expected["p_fake"].number),
      ].map { abs($0 - $1) / $1 }
    }.max() ?? .infinity
  }

  @Test func tenStepsAreThoseOfPyTorch() throws {
    let (trainer, steps) = try train()

    let lossDifference = try largestDifference(steps, from: golden["float32"])
    #expect(lossDifference <= 1e-5)
    // The same comparison sees BatchNorm left local to two halves of the batch.
    #expect(try largestDifference(steps, from: golden["negativeControl"]) > 1e-3)

    // Weights: Adam's first steps turn rounding into up to a learning rate (1e-4) a step where a gradient is nearly
    // zero. Before a BatchNorm a bias has no effect, so its gradient is nothing but rounding.
    let learningRate = trainer.settings.adam.learningRate
    let all = try Golden.floats("trajectory.f32")
    var (compared, close, beyondElsewhere, largest) = (0, 0, 0, 0.0)
    for tensor in golden["tensors"].elements where !tensor["name"].string.contains("running") {
      let name = tensor["name"].string
      let values = try values(name, of: trainer.state)
      let (offset, count, stride) = (
        tensor["offset"].integer, tensor["count"].integer, tensor["stride"].integer
      )
      try #require(values.count == tensor["shape"].elements.map(\.integer).reduce(1, *))
      let isBiasBeforeNorm = ["generator.0.bias", "generator.3.bias", "generator.6.bias"]
        .contains(name)
      for index in 0..<count {
        let distance = abs(Double(values[index * stride]) - Double(all[offset + index]))
        // A sampled element stands for `stride` of its tensor.
        compared += stride
        if distance <= 1e-6 {
          close += stride
        } else if !isBiasBeforeNorm {
          beyondElsewhere += 1
        }
        largest = max(largest, distance)
        #expect(distance <= 10 * learningRate, "\(name)[\(index * stride)]")
      }
    }
    print(
      """
      trajectory: losses within \(lossDifference) of PyTorch's; \(compared - close) of \(compared) weights differ by \
      more than 1e-6, \(beyondElsewhere) of the samples among them in other tensors than biases before BatchNorm; \
      the largest difference is \(largest)
      """)
    #expect(Double(close) >= 0.999 * Double(compared))
    #expect(beyondElsewhere <= 5)
    #expect(compared > 1_000_000)
  }

  @Test func runningVariancesAreThoseOfPyTorch() throws {
    let (trainer, _) = try train()
    let all = try Golden.floats("trajectory.f32")
    for tensor in golden["tensors"].elements where tensor["name"].string.hasSuffix("running_var") {
      let name = tensor["name"].string
      let offset = tensor["offset"].integer
      let expected = all[offset..<offset + tensor["count"].integer]
      #expect(
        difference(try values(name, of: trainer.state), expected, atol: 1e-6, rtol: 1e-5) == nil,
        "\(name)")
    }
    let counted = golden["num_batches_tracked"]["generator.1.num_batches_tracked"].integer
    #expect(trainer.state.generator.batchesTracked == counted)
  }

  /// A tensor by its name in a checkpoint, such as "generator.0.weight".
  private func values(_ name: String, of state: TrainingState) throws -> [Float] {
    let isGenerator = name.hasPrefix("generator.")
    let network = isGenerator ? state.generator : state.discriminator
    let ownName = String(name.drop { $0 != "." }.dropFirst())
    for arena in [network.parameters, network.buffers] {
      if let entry = arena.layout.entries.first(where: { $0.name == ownName }) {
        return Array(arena.values[entry.offset..<entry.offset + entry.count])
      }
    }
    Issue.record("there is no tensor \(name)")
    return []
  }
}

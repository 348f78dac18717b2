import NeuralNetwork
import Randomness
import Testing

@testable import GANTraining

@Suite struct NetworkTests {
  private let architecture = Architecture(imageSize: 784)

  @Test func theGeneratorIsTheNotebooks() {
    let parameters = Generator.Parameters(architecture)
    #expect(parameters.layout.parameterCount == 576_912)
    #expect(
      parameters.layout.entries.map(\.name) == [
        "0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias", "4.weight", "4.bias",
        "6.weight", "6.bias", "7.weight", "7.bias", "9.weight", "9.bias",
      ])
    #expect(parameters.layout.entries.first?.shape == [128, 64])
    #expect(
      parameters.bufferLayout.entries.map(\.name) == [
        "1.running_mean", "1.running_var", "4.running_mean", "4.running_var", "7.running_mean",
        "7.running_var",
      ])
  }

  @Test func theDiscriminatorIsTheNotebooks() {
    let parameters = Discriminator.Parameters(architecture)
    #expect(parameters.layout.parameterCount == 533_505)
    #expect(
      parameters.layout.entries.map(\.name) == [
        "0.weight", "0.bias", "3.weight", "3.bias", "6.weight", "6.bias",
      ])
    #expect(parameters.layout.entries.first?.shape == [512, 784])
  }

  @Test func initialWeightsHaveHesDeviation() throws {
    let state = try TrainingState(architecture, adam: .init(), random: RandomSource(seed: 3))
    for (network, entries) in [
      (state.generator, state.generatorParameters.layout.entries),
      (state.discriminator, state.discriminatorParameters.layout.entries),
    ] {
      for entry in entries where entry.shape.count == 2 {
        let weights = network.parameters.matrix(entry).buffer
        let variance = weights.reduce(0) { $0 + Double($1) * Double($1) } / Double(weights.count)
        let expected = 2 / Double(entry.shape[1])
        // The variance of n squares of normal numbers is 2/n of its square.
        let tolerance = 5 * expected * (2 / Double(weights.count)).squareRoot()
        #expect(abs(variance - expected) <= tolerance, "\(entry.name)")
      }
    }
  }

  @Test func anotherSeedGivesOtherWeights() throws {
    func first(_ seed: UInt64) throws -> [Float] {
      let state = try TrainingState(architecture, adam: .init(), random: RandomSource(seed: seed))
      return Array(state.generator.parameters.values.prefix(8))
    }
    #expect(try first(1) == first(1))
    #expect(try first(1) != first(2))
  }
}

import Foundation
import Testing

@testable import NeuralNetwork

@Suite struct SoftmaxCrossEntropyTests {
  private func evaluate(_ logits: [Float], _ label: Int) -> (loss: Double, gradient: [Float]) {
    var logits = logits
    let loss = logits.withUnsafeMutableBufferPointer {
      SoftmaxCrossEntropy.evaluate($0, label: label)
    }
    return (loss, logits)
  }

  @Test func lossAndGradientAreThoseOfPyTorch() {
    // torch.nn.functional.cross_entropy(torch.tensor([[1., 2., -1.]]), torch.tensor([1])) and its gradient.
    let (loss, gradient) = evaluate([1, 2, -1], 1)
    #expect(abs(loss - 0.3490) < 1e-4)
    for (found, expected) in zip(gradient, [0.2595, -0.2946, 0.0351] as [Float]) {
      #expect(abs(found - expected) < 1e-4)
    }
  }

  @Test(arguments: [0, 1, 2]) func gradientsAreThoseOfFiniteDifferences(index: Int) {
    let logits: [Float] = [0.5, -0.25, 1]
    let step: Float = 1.0 / 64
    var (above, below) = (logits, logits)
    above[index] += step
    below[index] -= step
    let slope = (evaluate(above, 2).loss - evaluate(below, 2).loss) / Double(2 * step)
    #expect(abs(slope - Double(evaluate(logits, 2).gradient[index])) < 1e-4)
  }

  @Test func hugeLogitsDoNotOverflow() {
    let (loss, gradient) = evaluate([3e4, -3e4], 1)
    #expect(loss == 6e4)
    #expect(gradient == [1, -1])
  }
}

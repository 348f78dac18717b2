import Collectives
import Matrices
import NeuralNetwork
import Randomness

/// The judge's network: images `[rows, pixels]` to logits `[rows, classes]`.
///
/// `Linear → LeakyReLU`, three times, then `Linear`. What the third layer gives are the features of an image.
final class Classifier {
  static let hiddenSizes = [512, 256, 128]
  static let slope: Float = 0.1

  /// The tensors: `0.weight`, `0.bias`, `2.weight` … as in an `nn.Sequential`.
  struct Parameters: Sendable {
    let layout: ParameterLayout
    let linears: [Linear.Parameters]

    init(pixels: Int, classCount: Int) {
      var layout = ParameterLayout()
      let sizes = [pixels] + Classifier.hiddenSizes + [classCount]
      linears = zip(sizes, sizes.dropFirst()).enumerated().map { index, size in
        Linear.Parameters("\(2 * index)", inputSize: size.0, outputSize: size.1, in: &layout)
      }
      self.layout = layout
    }
  }

  let linears: [Linear]

  /// `[B, 128]`.
  var features: Signal { linears[linears.count - 1].input }
  /// `[B, classes]`.
  var logits: Signal { linears[linears.count - 1].output }

  /// Every rank of the batch must make the network.
  /// - Parameter images: `[B, pixels]`.
  /// - Throws: what the collective throws.
  init(
    _ parameters: Parameters, weights: ProductWeights, images: Signal, isTrained: Bool,
    batch: DistributedBatch
  ) throws {
    var (signal, linears): (Signal, [Linear]) = (images, [])
    for (index, linear) in parameters.linears.enumerated() {
      let isLast = index + 1 == parameters.linears.count
      let output = try Signal(
        features: linear.outputSize, differentiablePasses: isTrained ? 1 : 0, of: batch)
      linears.append(
        Linear(
          linear, weights: weights, input: signal, output: output,
          activation: isLast ? .identity : .leakyReLU(slope: Self.slope), isTrained: isTrained,
          batch: batch, name: "judge.\(2 * index)"))
      signal = output
    }
    self.linears = linears
  }

  /// logits = judge(images), for a worker's rows.
  /// - Throws: `KernelError`, `MemoryError`.
  func forward(_ rows: Range<Int>, in list: InstructionList) throws {
    for linear in linears { try linear.forward(rows, in: list) }
  }

  /// The gradients of a worker's rows, from dLoss/dlogits.
  /// - Throws: `KernelError`, `MemoryError`.
  func backward(_ rows: Range<Int>, in list: InstructionList) throws {
    for linear in linears.reversed() { try linear.backward(rows, in: list) }
  }
}

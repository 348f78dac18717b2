import Glibc
import Matrices

/// Binary cross entropy on logits: `loss(x, y) = max(x, 0) - x * y + log(1 + e^-|x|)`.
///
/// PyTorch's `BCEWithLogitsLoss`, which is `BCELoss` after a sigmoid up to that one's clamp at -100.
public enum BinaryCrossEntropy {
  /// What one logit says.
  public struct Value: Equatable, Sendable {
    /// In nats.
    public let loss: Double
    /// sigmoid(logit).
    public let probability: Double
  }

  /// The loss of a logit against a target; its gradient is `probability - target`.
  public static func evaluate(logit: Float, target: Double) -> Value {
    let x = Double(logit)
    let decay = exp(-abs(x))
    return Value(
      loss: max(x, 0) - x * target + log1p(decay),
      probability: x >= 0 ? 1 / (1 + decay) : decay / (1 + decay))
  }
}

extension InstructionList {
  private struct Evaluation: BitwiseCopyable {
    let logits, gradient: Matrix
    let target, scale: Double
    let numbers: UnsafeMutablePointer<Double>
    let count, loss, probability: Int
    let addsLoss: Bool
  }

  /// Losses of a worker's logits against one target, and their gradients (probability - target) / B.
  ///
  /// - Parameters:
  ///   - rows: of pass `pass`.
  ///   - means: gets each row's loss as number `loss`, added to what is there or not, and its probability as number
  ///     `probability`, if that is not negative.
  public func binaryCrossEntropy(
    _ logits: Signal, _ rows: Range<Int>, ofPass pass: Int, target: Double, batchSize: Int,
    means: RowMeans, loss: Int, addsLoss: Bool = false, probability: Int = -1
  ) {
    guard !rows.isEmpty, let gradient = logits.gradient(rows, ofPass: pass) else { return }
    let operands = Evaluation(
      logits: logits.value(rows, ofPass: pass), gradient: gradient, target: target,
      scale: 1 / Double(batchSize), numbers: means.ofRow(rows.lowerBound), count: means.count,
      loss: loss,
      probability: probability, addsLoss: addsLoss)
    append(.elementwise, operands) { operands, _ in
      let it = operands.assumingMemoryBound(to: Evaluation.self).pointee
      for row in 0..<it.logits.rows {
        let value = BinaryCrossEntropy.evaluate(logit: it.logits[row, 0], target: it.target)
        let numbers = it.numbers + row * it.count
        numbers[it.loss] = (it.addsLoss ? numbers[it.loss] : 0) + value.loss
        if it.probability >= 0 { numbers[it.probability] = value.probability }
        it.gradient[row, 0] = Float((value.probability - it.target) * it.scale)
      }
    }
  }
}

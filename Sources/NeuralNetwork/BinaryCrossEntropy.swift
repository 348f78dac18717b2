import Glibc
import Matrices

/// Binary cross entropy on logits: `loss(x, y) = max(x, 0) - x * y + log(1 + e^-|x|)`.
///
/// PyTorch's `BCEWithLogitsLoss`, which is `BCELoss` after a sigmoid up to that one's clamp at -100.
public enum BinaryCrossEntropy {
  /// What a batch's logits say, already divided by the global batch size: ranks add theirs up.
  public struct Summary: Equatable, Sendable {
    /// Σ loss / globalBatchSize, in nats.
    public var loss = 0.0
    /// Σ sigmoid(logit) / globalBatchSize.
    public var probability = 0.0

    public init() {}
  }

  /// The loss of `logits[rows, 1]` against one target, and its gradient (sigmoid(x) - y) / globalBatchSize.
  ///
  /// - Parameter gradient: `[rows, 1]`, overwritten.
  public static func evaluate(
    logits: Matrix, target: Double, globalBatchSize: Int, gradient: Matrix
  ) -> Summary {
    precondition(logits.count == gradient.count)
    let scale = 1 / Double(globalBatchSize)
    var summary = Summary()
    for (index, logit) in logits.buffer.enumerated() {
      let x = Double(logit)
      let decay = exp(-abs(x))
      let probability = x >= 0 ? 1 / (1 + decay) : decay / (1 + decay)
      summary.loss += (max(x, 0) - x * target + log1p(decay)) * scale
      summary.probability += probability * scale
      gradient.elements[index] = Float((probability - target) * scale)
    }
    return summary
  }
}

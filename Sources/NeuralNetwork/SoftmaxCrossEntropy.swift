import Glibc
import Matrices

/// Cross entropy of a softmax over classes: `loss = log Σ e^logits - logits[label]`.
///
/// PyTorch's `CrossEntropyLoss`.
public enum SoftmaxCrossEntropy {
  /// The loss of one row, in nats; the logits become its gradients, `softmax(logits) - (1 at the label)`.
  public static func evaluate(
    _ logits: UnsafeMutableBufferPointer<Float>, label: Int
  ) -> Double {
    precondition(logits.indices.contains(label), "label \(label) of \(logits.count) classes")
    var greatest = Double(logits[0])
    for logit in logits { greatest = max(greatest, Double(logit)) }
    var sum = 0.0
    for logit in logits { sum += exp(Double(logit) - greatest) }
    let loss = log(sum) + greatest - Double(logits[label])
    for index in logits.indices {
      let probability = exp(Double(logits[index]) - greatest) / sum
      logits[index] = Float(probability - (index == label ? 1 : 0))
    }
    return loss
  }
}

extension InstructionList {
  private struct Classification: BitwiseCopyable {
    let logits, gradient: Matrix
    let labels: UnsafePointer<UInt8>
    let losses: UnsafeMutablePointer<Double>
    let scale: Float
  }

  /// Losses of a worker's rows of logits, and their gradients `(softmax - label) / B`.
  /// - Parameters:
  ///   - labels: of the whole batch, `[B]`, below the number of classes when the instruction runs.
  ///   - losses: of the whole batch, `[B]`.
  public func softmaxCrossEntropy(
    _ logits: Signal, _ rows: Range<Int>, labels: UnsafePointer<UInt8>,
    losses: UnsafeMutablePointer<Double>, batchSize: Int
  ) {
    guard !rows.isEmpty, let gradient = logits.gradient(rows, ofPass: 0) else { return }
    append(
      .elementwise,
      Classification(
        logits: logits.value(rows, ofPass: 0), gradient: gradient,
        labels: labels + rows.lowerBound, losses: losses + rows.lowerBound,
        scale: 1 / Float(batchSize))
    ) { operands, _ in
      let it = operands.assumingMemoryBound(to: Classification.self).pointee
      for row in 0..<it.logits.rows {
        let gradient = it.gradient.rows(row..<row + 1).buffer
        _ = gradient.update(fromContentsOf: it.logits.rows(row..<row + 1).buffer)
        it.losses[row] = SoftmaxCrossEntropy.evaluate(gradient, label: Int(it.labels[row]))
        for index in gradient.indices { gradient[index] *= it.scale }
      }
    }
  }
}

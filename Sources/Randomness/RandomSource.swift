import Matrices
import VectorKernels

/// Random numbers that belong to samples: pure functions of seed, stream, step and sample (Philox4x32-10,
/// Salmon et al., SC'11). The page *Randomness* of the documentation defines every bit.
public struct RandomSource: Sendable, Equatable, BitwiseCopyable {
  public let seed: UInt64

  public init(seed: UInt64) { self.seed = seed }

  private func address(_ stream: UInt32, _ step: Int) -> RandomAddress {
    RandomAddress(
      keyLow: UInt32(truncatingIfNeeded: seed), keyHigh: UInt32(truncatingIfNeeded: seed >> 32),
      stream: stream, step: UInt32(truncatingIfNeeded: step))
  }

  /// The words of blocks `firstBlock ..< firstBlock + blockCount` of one sample, four words a block.
  public func words(
    stream: UInt32, step: Int, sample: Int, firstBlock: Int = 0, blockCount: Int
  ) -> [UInt32] {
    [UInt32](unsafeUninitializedCapacity: 4 * blockCount) { words, count in
      if let out = words.baseAddress {
        VectorMath.kernels.pointee.randomWords(
          address(stream, step), UInt32(truncatingIfNeeded: sample),
          UInt32(truncatingIfNeeded: firstBlock), blockCount, out)
      }
      count = 4 * blockCount
    }
  }

  /// Fills `out[samples, values]` with standard normal numbers; its first row is sample `firstSample`.
  public func fillNormals(_ out: Matrix, stream: UInt32, step: Int, firstSample: Int) {
    VectorMath.kernels.pointee.randomNormals(
      address(stream, step), UInt32(truncatingIfNeeded: firstSample), out.rows, out.columns,
      out.elements)
  }

  /// Fills `out[samples, units]` with 0 (with the given probability) or 1 / (1 - probability).
  public func fillDropoutMultipliers(
    _ out: Matrix, probability: Double, stream: UInt32, step: Int, firstSample: Int
  ) {
    precondition(probability >= 0 && probability < 1)
    VectorMath.kernels.pointee.dropoutMultipliers(
      address(stream, step), UInt32(truncatingIfNeeded: firstSample), out.rows, out.columns,
      UInt32(probability * 4_294_967_296), Float(1 / (1 - probability)), out.elements)
  }

  /// Writes a permutation of `0 ..< order.count` (Fisher and Yates), the same on every rank; at most 2^31 - 1 numbers.
  public func permute(_ order: UnsafeMutableBufferPointer<Int32>, stream: UInt32, epoch: Int) {
    let count = order.count
    for index in order.indices { order[index] = Int32(index) }
    // Words for so many draws at a time: all at once would take four times the memory of the order.
    let drawsAtATime = 2048
    var words: [UInt32] = []
    for draw in 0..<max(count - 1, 0) {
      let place = draw % drawsAtATime
      if place == 0 {
        words = self.words(
          stream: stream, step: epoch, sample: 0, firstBlock: draw / 2,
          blockCount: min(drawsAtATime / 2, count / 2 - draw / 2))
      }
      let last = count - 1 - draw
      let random = UInt64(words[2 * place]) | UInt64(words[2 * place + 1]) << 32
      order.swapAt(last, Int(random.multipliedFullWidth(by: UInt64(last + 1)).high))
    }
  }
}

/// Random numbers of a step, as instructions.
extension InstructionList {
  private struct Drawing: BitwiseCopyable {
    let random: RandomSource
    let out: Matrix
    let stream: UInt32
    let firstSample: Int
    var probability = 0.0
  }

  /// Fills `out[samples, values]` with standard normal numbers; its first row is sample `firstSample`.
  public func normals(_ out: Matrix, from random: RandomSource, stream: UInt32, firstSample: Int) {
    append(
      .random, Drawing(random: random, out: out, stream: stream, firstSample: firstSample)
    ) { operands, step in
      let it = operands.assumingMemoryBound(to: Drawing.self).pointee
      it.random.fillNormals(
        it.out, stream: it.stream, step: step, firstSample: it.firstSample)
    }
  }

  /// Fills `out[samples, units]` with 0 (with the given probability) or 1 / (1 - probability).
  public func dropoutMultipliers(
    _ out: Matrix, probability: Double, from random: RandomSource, stream: UInt32, firstSample: Int
  ) {
    append(
      .random,
      Drawing(
        random: random, out: out, stream: stream, firstSample: firstSample,
        probability: probability)
    ) { operands, step in
      let it = operands.assumingMemoryBound(to: Drawing.self).pointee
      it.random.fillDropoutMultipliers(
        it.out, probability: it.probability, stream: it.stream, step: step,
        firstSample: it.firstSample)
    }
  }
}

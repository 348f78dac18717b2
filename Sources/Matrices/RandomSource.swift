import VectorKernels

/// Random numbers that belong to samples: pure functions of seed, stream, step and sample (Philox4x32-10,
/// Salmon et al., SC'11). The page *Randomness* of the documentation defines every bit.
public struct RandomSource: Sendable, Equatable {
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

  /// Rows to be drawn, on all threads.
  private struct Drawing: BitwiseCopyable {
    let address: RandomAddress
    let firstSample: UInt32
    let columns: Int
    let out: UnsafeMutablePointer<Float>
    var threshold: UInt32 = 0
    var scale: Float = 0
  }

  /// Draws the rows of `out` on all threads: a thread's rows are worth its attention.
  private static func share(_ work: WorkTeam.Work, over out: Matrix, _ drawing: Drawing) {
    let grain = 2048
    Timeline.record(.random) {
      WorkTeam.share(work, of: out.rows, grain: max(grain / out.columns, 1), with: drawing)
    }
  }

  /// Fills `out[samples, values]` with standard normal numbers; its first row is sample `firstSample`.
  public func fillNormals(_ out: Matrix, stream: UInt32, step: Int, firstSample: Int) {
    Self.share(
      { context, begin, end in
        let drawing = context.assumingMemoryBound(to: Drawing.self).pointee
        VectorMath.kernels.pointee.randomNormals(
          drawing.address, drawing.firstSample &+ UInt32(truncatingIfNeeded: begin), end - begin,
          drawing.columns, drawing.out + begin * drawing.columns)
      }, over: out,
      Drawing(
        address: address(stream, step), firstSample: UInt32(truncatingIfNeeded: firstSample),
        columns: out.columns, out: out.elements))
  }

  /// Fills `out[samples, units]` with 0 (with the given probability) or 1 / (1 - probability).
  public func fillDropoutMultipliers(
    _ out: Matrix, probability: Double, stream: UInt32, step: Int, firstSample: Int
  ) {
    precondition(probability >= 0 && probability < 1)
    Self.share(
      { context, begin, end in
        let drawing = context.assumingMemoryBound(to: Drawing.self).pointee
        VectorMath.kernels.pointee.dropoutMultipliers(
          drawing.address, drawing.firstSample &+ UInt32(truncatingIfNeeded: begin), end - begin,
          drawing.columns, drawing.threshold, drawing.scale, drawing.out + begin * drawing.columns)
      }, over: out,
      Drawing(
        address: address(stream, step), firstSample: UInt32(truncatingIfNeeded: firstSample),
        columns: out.columns, out: out.elements, threshold: UInt32(probability * 4_294_967_296),
        scale: Float(1 / (1 - probability))))
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

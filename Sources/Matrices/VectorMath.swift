import VectorKernels

/// The element-wise loops of a step, in the fastest build that this processor runs.
///
/// Every build gives the same bits, so ranks on unlike processors still agree.
public enum VectorMath {
  // Constant tables of function pointers; never written.
  nonisolated(unsafe) static let builds: [UnsafePointer<VectorKernelTable>] =
    [InstructionSet.sse2, .avx2, .avx512].prefix { $0 <= Processor.instructionSet }.indices
    .compactMap(vectorKernels)
  nonisolated(unsafe) static let kernels = builds[builds.count - 1]

  /// The build that was chosen: "baseline", "AVX2" or "AVX-512".
  public static var build: String { String(cString: kernels.pointee.name) }

  /// Numbers that are worth a thread's attention: less takes longer to hand out than to do.
  static let grain = 8192
}

/// Element by element, on all threads.
extension VectorMath {
  /// Two arrays and a number.
  private struct Pair: BitwiseCopyable {
    let target: UnsafeMutablePointer<Float>
    let source: UnsafePointer<Float>
    var number: Float = 0
  }

  private static func share(
    _ work: WorkTeam.Work, _ target: Matrix, _ source: Matrix, _ number: Float = 0
  ) {
    precondition(target.count == source.count)
    Timeline.record(.elementwise) {
      WorkTeam.share(
        work, of: target.count, grain: grain,
        with: Pair(target: target.elements, source: source.elements, number: number))
    }
  }

  /// out = (pixel / 255 - 0.5) / 0.5: torchvision's `ToTensor` and `Normalize(0.5, 0.5)`.
  public static func pixelsToFloats(_ pixels: UnsafeBufferPointer<UInt8>, into out: Matrix) {
    precondition(pixels.count == out.count)
    guard let base = pixels.baseAddress else { return }
    Timeline.record(.elementwise) {
      kernels.pointee.pixelsToFloats(base, pixels.count, out.elements)
    }
  }

  /// values *= factors, element by element.
  public static func multiply(_ values: Matrix, by factors: Matrix) {
    share(
      { context, begin, end in
        let pair = context.assumingMemoryBound(to: Pair.self).pointee
        VectorMath.kernels.pointee.multiply(pair.target + begin, pair.source + begin, end - begin)
      }, values, factors)
  }

  /// gradient *= (output > 0 ? 1 : slope); a LeakyReLU's output has the sign of its input.
  public static func leakyReLUBackward(_ gradient: Matrix, output: Matrix, slope: Float) {
    share(
      { context, begin, end in
        let pair = context.assumingMemoryBound(to: Pair.self).pointee
        VectorMath.kernels.pointee.leakyReLUBackward(
          pair.target + begin, pair.source + begin, pair.number, end - begin)
      }, gradient, output, slope)
  }

  /// gradient *= 1 - output^2.
  public static func tanhBackward(_ gradient: Matrix, output: Matrix) {
    share(
      { context, begin, end in
        let pair = context.assumingMemoryBound(to: Pair.self).pointee
        VectorMath.kernels.pointee.tanhBackward(
          pair.target + begin, pair.source + begin, end - begin)
      }, gradient, output)
  }

  /// target += source.
  public static func add(_ source: Matrix, to target: Matrix) {
    precondition(source.count == target.count)
    kernels.pointee.addRows(
      target.elements, target.count, source.elements, source.count, 1, target.count)
  }

  /// sums[1, columns] = the rows of `matrix` added up in order.
  public static func columnSums(_ matrix: Matrix, into sums: Matrix) {
    precondition(sums.count == matrix.columns)
    Timeline.record(.elementwise) {
      kernels.pointee.columnSums(matrix.elements, matrix.rows, matrix.columns, sums.elements)
    }
  }

  /// out[count] = the parts added up in a tree's order; `out` may be one of them.
  public static func sum(
    _ parts: UnsafePointer<UnsafePointer<Float>>, order: TreeWalk, count: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    Timeline.record(.sum) {
      kernels.pointee.sumInTree(parts, order.additions, order.partCount, count, out)
    }
  }
}

extension VectorMath {
  /// A number that any single changed bit changes: equal arrays have equal digests, on every machine.
  public static func digest(_ values: UnsafeBufferPointer<Float>) -> UInt64 {
    guard let base = values.baseAddress else { return 0 }
    return kernels.pointee.digest(base, values.count)
  }
}

/// The loops of batch normalisation (Ioffe and Szegedy, 2015).
extension VectorMath {
  /// mean[columns] and m2[columns] = Σ (x - mean)² over the rows of `x`; zeros for no rows.
  public static func columnMoments(
    of x: Matrix, mean: UnsafeMutablePointer<Double>, m2: UnsafeMutablePointer<Double>
  ) {
    Timeline.record(.elementwise) {
      kernels.pointee.columnMoments(x.elements, x.rows, x.columns, mean, m2)
    }
  }

  /// The moments of two groups of rows become those of both, in place of the first (Chan, Golub and LeVeque, 1983).
  public static func mergeMoments(
    _ firstCount: Double, mean: UnsafeMutablePointer<Double>, m2: UnsafeMutablePointer<Double>,
    with secondCount: Double, mean otherMean: UnsafePointer<Double>,
    m2 otherM2: UnsafePointer<Double>, columns: Int
  ) {
    kernels.pointee.mergeMoments(firstCount, mean, m2, secondCount, otherMean, otherM2, columns)
  }

  private struct Forward: BitwiseCopyable {
    let x, y: UnsafeMutablePointer<Float>
    let columns: Int
    let mean, inverseDeviation, scale, shift: UnsafePointer<Float>
    let slope: Float
  }

  /// x becomes (x - mean) * inverseDeviation; output = LeakyReLU(scale * x + shift).
  public static func batchNormForward(
    _ x: Matrix, mean: Matrix, inverseDeviation: Matrix, scale: Matrix, shift: Matrix,
    slope: Float, output: Matrix
  ) {
    precondition(x.count == output.count && scale.count == x.columns && shift.count == x.columns)
    Timeline.record(.elementwise) {
      WorkTeam.share(
        { context, begin, end in
          let work = context.assumingMemoryBound(to: Forward.self).pointee
          VectorMath.kernels.pointee.batchNormForward(
            work.x + begin * work.columns, end - begin, work.columns, work.mean,
            work.inverseDeviation, work.scale, work.shift, work.slope, work.y + begin * work.columns
          )
        }, of: x.rows, grain: max(grain / x.columns, 1),
        with: Forward(
          x: x.elements, y: output.elements, columns: x.columns, mean: mean.elements,
          inverseDeviation: inverseDeviation.elements, scale: scale.elements, shift: shift.elements,
          slope: slope))
    }
  }

  /// sums[2 * columns] = Σ dy, then Σ dy * normalized, over the rows.
  public static func batchNormBackwardSums(
    gradient: Matrix, normalized: Matrix, into sums: UnsafeMutablePointer<Double>
  ) {
    precondition(gradient.count == normalized.count)
    Timeline.record(.elementwise) {
      kernels.pointee.batchNormBackwardSums(
        gradient.elements, normalized.elements, gradient.rows, gradient.columns, sums)
    }
  }

  private struct Backward: BitwiseCopyable {
    let gradient: UnsafeMutablePointer<Float>
    let normalized: UnsafePointer<Float>
    let columns: Int
    let factor, meanGradient, meanProduct: UnsafePointer<Float>
  }

  /// gradient becomes factor * (gradient - meanGradient - normalized * meanProduct).
  public static func batchNormBackwardInput(
    _ gradient: Matrix, normalized: Matrix, factor: Matrix, meanGradient: Matrix,
    meanProduct: Matrix
  ) {
    precondition(gradient.count == normalized.count && factor.count == gradient.columns)
    Timeline.record(.elementwise) {
      WorkTeam.share(
        { context, begin, end in
          let work = context.assumingMemoryBound(to: Backward.self).pointee
          VectorMath.kernels.pointee.batchNormBackwardInput(
            work.gradient + begin * work.columns, work.normalized + begin * work.columns,
            end - begin, work.columns, work.factor, work.meanGradient, work.meanProduct)
        }, of: gradient.rows, grain: max(grain / gradient.columns, 1),
        with: Backward(
          gradient: gradient.elements, normalized: normalized.elements, columns: gradient.columns,
          factor: factor.elements, meanGradient: meanGradient.elements,
          meanProduct: meanProduct.elements))
    }
  }
}

/// The loop of Adam.
extension VectorMath {
  /// One step of Adam over whole arenas of `count` numbers each (Kingma and Ba, 2015, algorithm 1).
  ///
  /// - Parameters:
  ///   - step: the number of this step, from 1.
  ///   - rounded: where the new parameters are wanted as bfloat16 numbers, too.
  /// - Returns: whether all gradients were finite.
  public static func adam(
    step: Int, learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, count: Int,
    gradients: UnsafePointer<Float>, parameters: UnsafeMutablePointer<Float>,
    firstMoments: UnsafeMutablePointer<Float>, secondMoments: UnsafeMutablePointer<Float>,
    rounded: UnsafeMutablePointer<UInt16>? = nil
  ) -> Bool {
    let constants = AdamStep(
      firstWeight: Float(1 - beta1), secondDecay: Float(beta2), secondWeight: Float(1 - beta2),
      stepSize: Float(learningRate / (1 - power(beta1, step))),
      secondCorrection: Float(1 / (1 - power(beta2, step)).squareRoot()), epsilon: Float(epsilon))
    var nonFiniteSlices: Int32 = 0
    return Timeline.record(.update) {
      withUnsafeMutablePointer(to: &nonFiniteSlices) { nonFiniteSlices in
        WorkTeam.share(
          { context, begin, end in
            let work = context.assumingMemoryBound(to: AdamWork.self).pointee
            let isFinite = VectorMath.kernels.pointee.adam(
              work.constants, work.gradients + begin, end - begin, work.parameters + begin,
              work.firstMoments + begin, work.secondMoments + begin,
              work.rounded.map { $0 + begin })
            if !isFinite { work.nonFiniteSlices.pointee = 1 }  // Whoever writes, writes the same.
          }, of: count, grain: grain,
          with: AdamWork(
            constants: constants, gradients: gradients, parameters: parameters,
            firstMoments: firstMoments, secondMoments: secondMoments,
            rounded: rounded, nonFiniteSlices: nonFiniteSlices))
        return nonFiniteSlices.pointee == 0
      }
    }
  }

  private struct AdamWork: BitwiseCopyable {
    let constants: AdamStep
    let gradients: UnsafePointer<Float>
    let parameters, firstMoments, secondMoments: UnsafeMutablePointer<Float>
    let rounded: UnsafeMutablePointer<UInt16>?
    let nonFiniteSlices: UnsafeMutablePointer<Int32>
  }

  /// base^exponent by repeated squaring: the same bits on every machine, unlike a library's `pow`.
  static func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }
}

import VectorKernels

/// The element-wise loops of a step, in the fastest build that this processor runs.
///
/// Every build gives the same bits, so ranks on unlike processors still agree.
public enum VectorMath {
  // Constant tables of function pointers; never written.
  nonisolated(unsafe) static let builds: [UnsafePointer<VectorKernelTable>] =
    Array(sequence(first: 0) { $0 + 1 }.lazy.map(availableVectorKernels).prefix { $0 != nil })
    .compactMap { $0 }
  nonisolated(unsafe) static let kernels = builds[builds.count - 1]

  /// The instruction set that was chosen: "baseline", "AVX2" or "AVX-512".
  public static var instructionSet: String { String(cString: kernels.pointee.name) }

  /// out = (pixel / 255 - 0.5) / 0.5: torchvision's `ToTensor` and `Normalize(0.5, 0.5)`.
  public static func pixelsToFloats(_ pixels: UnsafeBufferPointer<UInt8>, into out: Matrix) {
    precondition(pixels.count == out.count)
    guard let base = pixels.baseAddress else { return }
    kernels.pointee.pixelsToFloats(base, pixels.count, out.elements)
  }

  /// values *= factors, element by element.
  public static func multiply(_ values: Matrix, by factors: Matrix) {
    precondition(values.count == factors.count)
    kernels.pointee.multiply(values.elements, factors.elements, values.count)
  }

  /// gradient *= (output > 0 ? 1 : slope); a LeakyReLU's output has the sign of its input.
  public static func leakyReLUBackward(_ gradient: Matrix, output: Matrix, slope: Float) {
    precondition(gradient.count == output.count)
    kernels.pointee.leakyReLUBackward(gradient.elements, output.elements, slope, gradient.count)
  }

  /// gradient *= 1 - output^2.
  public static func tanhBackward(_ gradient: Matrix, output: Matrix) {
    precondition(gradient.count == output.count)
    kernels.pointee.tanhBackward(gradient.elements, output.elements, gradient.count)
  }

  /// sums[1, columns] = the rows of `matrix` added up in order.
  public static func columnSums(_ matrix: Matrix, into sums: Matrix) {
    precondition(sums.count == matrix.columns)
    kernels.pointee.columnSums(matrix.elements, matrix.rows, matrix.columns, sums.elements)
  }

  /// out[count] = slices[0] + slices[1] + …, in this order; slice k begins at `slices + k * stride`.
  public static func sumInOrder(
    _ slices: UnsafePointer<Float>, sliceCount: Int, stride: Int,
    into out: UnsafeMutableBufferPointer<Float>
  ) {
    guard let target = out.baseAddress else { return }
    kernels.pointee.sumInOrder(slices, sliceCount, stride, out.count, target)
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
    kernels.pointee.columnMoments(x.elements, x.rows, x.columns, mean, m2)
  }

  /// x becomes (x - mean) * inverseDeviation; output = LeakyReLU(scale * x + shift).
  public static func batchNormForward(
    _ x: Matrix, mean: Matrix, inverseDeviation: Matrix, scale: Matrix, shift: Matrix,
    slope: Float, output: Matrix
  ) {
    precondition(x.count == output.count && scale.count == x.columns && shift.count == x.columns)
    kernels.pointee.batchNormForward(
      x.elements, x.rows, x.columns, mean.elements, inverseDeviation.elements, scale.elements,
      shift.elements, slope, output.elements)
  }

  /// sums[2 * columns] = Σ dy, then Σ dy * normalized, over the rows.
  public static func batchNormBackwardSums(
    gradient: Matrix, normalized: Matrix, into sums: UnsafeMutablePointer<Double>
  ) {
    precondition(gradient.count == normalized.count)
    kernels.pointee.batchNormBackwardSums(
      gradient.elements, normalized.elements, gradient.rows, gradient.columns, sums)
  }

  /// gradient becomes factor * (gradient - meanGradient - normalized * meanProduct).
  public static func batchNormBackwardInput(
    _ gradient: Matrix, normalized: Matrix, factor: Matrix, meanGradient: Matrix,
    meanProduct: Matrix
  ) {
    precondition(gradient.count == normalized.count && factor.count == gradient.columns)
    kernels.pointee.batchNormBackwardInput(
      gradient.elements, normalized.elements, gradient.rows, gradient.columns, factor.elements,
      meanGradient.elements, meanProduct.elements)
  }
}

/// The loop of Adam.
extension VectorMath {
  /// One step of Adam over whole arenas of `count` numbers each (Kingma and Ba, 2015, algorithm 1).
  ///
  /// - Parameter step: the number of this step, from 1.
  /// - Returns: whether all gradients were finite.
  public static func adam(
    step: Int, learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, count: Int,
    gradients: UnsafePointer<Float>, parameters: UnsafeMutablePointer<Float>,
    firstMoments: UnsafeMutablePointer<Float>, secondMoments: UnsafeMutablePointer<Float>
  ) -> Bool {
    let constants = AdamStep(
      firstWeight: Float(1 - beta1), secondDecay: Float(beta2), secondWeight: Float(1 - beta2),
      stepSize: Float(learningRate / (1 - power(beta1, step))),
      secondCorrectionRoot: Float((1 - power(beta2, step)).squareRoot()), epsilon: Float(epsilon))
    return kernels.pointee.adam(
      constants, gradients, count, parameters, firstMoments, secondMoments)
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

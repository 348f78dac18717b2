import VectorKernels

/// Loops over elements, as instructions.
extension InstructionList {
  private struct Operands: BitwiseCopyable {
    let target: UnsafeMutablePointer<Float>
    let source: UnsafePointer<Float>
    let count: Int
    var number: Float = 0
  }

  private func elementwise(
    _ target: Matrix, _ source: Matrix, _ number: Float = 0, _ function: Function
  ) {
    precondition(target.count == source.count)
    guard target.count > 0 else { return }
    append(
      .elementwise,
      Operands(
        target: target.elements, source: source.elements, count: target.count, number: number),
      function)
  }

  /// target = source.
  public func copy(_ source: Matrix, to target: Matrix) {
    elementwise(target, source) { operands, _ in
      let it = operands.assumingMemoryBound(to: Operands.self).pointee
      it.target.update(from: it.source, count: it.count)
    }
  }

  /// values *= factors, element by element.
  public func multiply(_ values: Matrix, by factors: Matrix) {
    elementwise(values, factors) { operands, _ in
      let it = operands.assumingMemoryBound(to: Operands.self).pointee
      VectorMath.kernels.pointee.multiply(it.target, it.source, it.count)
    }
  }

  /// gradient *= (output > 0 ? 1 : slope); a LeakyReLU's output has the sign of its input.
  public func leakyReLUBackward(_ gradient: Matrix, output: Matrix, slope: Float) {
    elementwise(gradient, output, slope) { operands, _ in
      let it = operands.assumingMemoryBound(to: Operands.self).pointee
      VectorMath.kernels.pointee.leakyReLUBackward(it.target, it.source, it.number, it.count)
    }
  }

  /// gradient *= 1 - output^2.
  public func tanhBackward(_ gradient: Matrix, output: Matrix) {
    elementwise(gradient, output) { operands, _ in
      let it = operands.assumingMemoryBound(to: Operands.self).pointee
      VectorMath.kernels.pointee.tanhBackward(it.target, it.source, it.count)
    }
  }
}

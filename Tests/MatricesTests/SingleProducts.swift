@testable import Matrices

extension InstructionList {
  /// Does what was planned, once.
  func run() { Phase([self]).run() }
}

/// A layer's output as a program of its own.
struct ActivatedProduct {
  private let list = InstructionList()

  init(
    _ input: Matrix, times weight: WeightFactor, plus bias: Matrix,
    activation: ProductActivation = .identity, into output: Matrix
  ) throws {
    try list.activatedProduct(
      [(input, output)], times: weight, plus: bias, activation: activation)
  }

  func run() { list.run() }
}

/// The gradient of a layer's input as a program of its own.
struct PlainProduct {
  private let list = InstructionList()

  init(_ left: Matrix, times weight: WeightFactor, into result: Matrix) throws {
    try list.plainProduct(left, times: weight, into: result)
  }

  func run() { list.run() }
}

/// A weight matrix `[outputs, inputs]` as products read it, in the numbers of a ``Precision``.
///
/// With float32 they read the matrix itself. With bfloat16 they read two copies: its rows, and its rows two by two.
public struct WeightFactor {
  /// The numbers before they are rounded.
  public let matrix: Matrix
  private let copies: (rounded: UnsafeMutablePointer<UInt16>, pairs: UnsafeMutablePointer<UInt32>)?

  /// The matrix itself.
  public init(_ matrix: Matrix) {
    self.matrix = matrix
    copies = nil
  }

  /// Copies in bfloat16.
  /// - Parameters:
  ///   - rounded: where the copy of the rows is, `[outputs, inputs]`.
  ///   - pairs: where the copy of the pairs of rows is, `[(outputs + 1) / 2, inputs]`.
  public init(
    _ matrix: Matrix, rounded: UnsafeMutablePointer<UInt16>, pairs: UnsafeMutablePointer<UInt32>
  ) {
    self.matrix = matrix
    copies = (rounded, pairs)
  }

  /// Of the numbers that products read.
  public var precision: Precision { copies == nil ? .float32 : .bfloat16 }

  /// `[outputs, inputs]`.
  var asLeft: LeftFactor {
    LeftFactor(
      address: copies.map { UnsafeRawPointer($0.rounded) } ?? UnsafeRawPointer(matrix.elements),
      precision: precision, stride: matrix.columns)
  }

  /// `[outputs, inputs]`, the outputs in pairs.
  var asRight: RightFactor {
    RightFactor(
      address: copies.map { UnsafeRawPointer($0.pairs) } ?? UnsafeRawPointer(matrix.elements),
      precision: precision, stride: matrix.columns)
  }

  /// Lets products see what the matrix holds now.
  public func round() {
    guard let copies else { return }
    VectorMath.kernels.pointee.roundToBFloat16(matrix.elements, matrix.count, copies.rounded)
    Self.pairUp(Pairing(self, copies, outputs: 0..<matrix.rows))
  }

  fileprivate func pairing(outputs: Range<Int>) -> Pairing? {
    copies.map { Pairing(self, $0, outputs: outputs) }
  }

  fileprivate struct Pairing: BitwiseCopyable {
    let rounded: UnsafePointer<UInt16>
    let pairs: UnsafeMutablePointer<UInt32>
    let rows, columns: Int

    init(
      _ factor: WeightFactor,
      _ copies: (rounded: UnsafeMutablePointer<UInt16>, pairs: UnsafeMutablePointer<UInt32>),
      outputs: Range<Int>
    ) {
      precondition(outputs.lowerBound.isMultiple(of: 2), "a pair in two halves")
      columns = factor.matrix.columns
      rounded = UnsafePointer(copies.rounded) + outputs.lowerBound * columns
      pairs = copies.pairs + outputs.lowerBound / 2 * columns
      rows = outputs.count
    }
  }

  /// Makes the copy of pairs from the copy of the rows.
  fileprivate static func pairUp(_ it: Pairing) {
    for row in stride(from: 0, to: it.rows, by: 2) {
      let first = it.rounded + row * it.columns
      VectorMath.kernels.pointee.pairBFloat16(
        first, row + 1 < it.rows ? first + it.columns : nil, it.columns,
        it.pairs + row / 2 * it.columns)
    }
  }
}

extension InstructionList {
  /// Lets products see what Adam has written to the rounded copy of some outputs, which begin with the first of a pair.
  public func pairUp(_ weight: WeightFactor, outputs: Range<Int>) {
    guard let pairing = weight.pairing(outputs: outputs) else { return }
    append(.update, pairing) { operands, _ in
      WeightFactor.pairUp(operands.assumingMemoryBound(to: WeightFactor.Pairing.self).pointee)
    }
  }
}

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
  /// - Parameter rounded: where the copy of the rows is, `[outputs, inputs]`.
  /// - Throws: `MemoryError`.
  public init(
    _ matrix: Matrix, rounded: UnsafeMutablePointer<UInt16>, in workspace: Workspace
  ) throws {
    self.matrix = matrix
    let pairs = try workspace.zeros(of: UInt32.self, count: (matrix.rows + 1) / 2 * matrix.columns)
    copies = (rounded, pairs.baseAddress!)
  }

  /// Of the numbers that products read.
  public var precision: Precision { copies == nil ? .float32 : .bfloat16 }

  /// `[outputs, inputs]`.
  var asLeft: LeftFactor {
    LeftFactor(
      address: copies.map { UnsafeRawPointer($0.rounded) } ?? UnsafeRawPointer(matrix.elements),
      precision: precision, step: matrix.columns)
  }

  /// `[outputs, inputs]`, the outputs in pairs.
  var asRight: RightFactor {
    RightFactor(
      address: copies.map { UnsafeRawPointer($0.pairs) } ?? UnsafeRawPointer(matrix.elements),
      precision: precision, step: matrix.columns)
  }

  /// Lets products see what the matrix holds now.
  public func round() {
    guard let copies else { return }
    Timeline.record(.elementwise) {
      VectorMath.kernels.pointee.roundToBFloat16(matrix.elements, matrix.count, copies.rounded)
    }
    pairUp()
  }

  /// Makes the copy of pairs from the copy of the rows.
  public func pairUp() {
    guard let copies else { return }
    Timeline.record(.elementwise) {
      WorkTeam.share(
        { context, begin, end in
          let work = context.assumingMemoryBound(to: Pairing.self).pointee
          for pair in begin..<end {
            let first = work.rounded + 2 * pair * work.columns
            VectorMath.kernels.pointee.pairBFloat16(
              first, 2 * pair + 1 < work.rows ? first + work.columns : nil, work.columns,
              work.pairs + pair * work.columns)
          }
        }, of: (matrix.rows + 1) / 2, grain: max(VectorMath.grain / (2 * matrix.columns), 1),
        with: Pairing(
          rounded: copies.rounded, pairs: copies.pairs, rows: matrix.rows, columns: matrix.columns))
    }
  }

  private struct Pairing: BitwiseCopyable {
    let rounded: UnsafePointer<UInt16>
    let pairs: UnsafeMutablePointer<UInt32>
    let rows, columns: Int
  }
}

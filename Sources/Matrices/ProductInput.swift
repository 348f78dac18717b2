import COneDNN

/// In which numbers products take their factors; sums of products are float32 either way.
public enum Precision: String, Codable, CaseIterable, Sendable {
  case float32
  /// The upper half of a float32: its range, with 8 bits of significand instead of 24.
  case bfloat16

  /// What a processor must have one of, as ``OneDNN/instructionSet`` names it; nil for nothing in particular.
  ///
  /// oneDNN multiplies bfloat16 numbers without these, too, but slower than float32 ones, or not as these do.
  public var neededInstructionSets: [String]? {
    switch self {
    case .float32: nil
    case .bfloat16: ["AVX-512 BF16", "AMX"]
    }
  }

  var dataType: dnnl_data_type_t { self == .float32 ? dnnl_f32 : dnnl_bf16 }
  var byteCount: Int { self == .float32 ? 4 : 2 }
}

/// A matrix that products read, in the numbers of a ``Precision``.
///
/// With float32 they read the matrix itself. With bfloat16 they read a copy, which is as new as the last ``round()``: so
/// a matrix that several products read is rounded once.
public struct ProductInput {
  /// The numbers before they are rounded.
  public let matrix: Matrix
  let rounded: UnsafeMutablePointer<UInt16>?

  /// The matrix itself.
  public init(_ matrix: Matrix) { self.init(matrix: matrix, rounded: nil) }

  /// The matrix itself, or a copy in the workspace's memory.
  public init(_ matrix: Matrix, _ precision: Precision, in workspace: Workspace) {
    self.init(
      matrix: matrix,
      rounded: precision == .float32 ? nil : workspace.zeros(count: matrix.count).baseAddress)
  }

  private init(matrix: Matrix, rounded: UnsafeMutablePointer<UInt16>?) {
    (self.matrix, self.rounded) = (matrix, rounded)
  }

  var precision: Precision { rounded == nil ? .float32 : .bfloat16 }

  /// A matrix that is a part of this one's memory, as products read it.
  public func part(_ part: Matrix) -> ProductInput {
    let offset = part.elements - matrix.elements
    precondition(offset >= 0 && offset + part.count <= matrix.count, "no part of the matrix")
    return ProductInput(matrix: part, rounded: rounded.map { $0 + offset })
  }

  /// The rows of `range`.
  public func rows(_ range: Range<Int>) -> ProductInput { part(matrix.rows(range)) }

  /// Lets products see what the matrix holds now.
  public func round() {
    guard let rounded else { return }
    Timeline.record(.elementwise) {
      WorkTeam.share(
        { context, begin, end in
          let work = context.assumingMemoryBound(to: Rounding.self).pointee
          VectorMath.kernels.pointee.roundToBFloat16(
            work.source + begin, end - begin, work.target + begin)
        }, of: matrix.count, grain: VectorMath.grain,
        with: Rounding(source: matrix.elements, target: rounded))
    }
  }

  private struct Rounding: BitwiseCopyable {
    let source: UnsafePointer<Float>
    let target: UnsafeMutablePointer<UInt16>
  }
}

import COneDNN
import VectorKernels

/// Products, additions and copies in a fixed order, cut into pieces that different threads may do.
///
/// A piece is done by one thread from beginning to end.
final class ProductProgram {
  enum Step {
    case product(ProductPlan)
    /// target += source, element by element.
    case addition(
      UnsafeMutablePointer<Float>, adding: UnsafeMutablePointer<Float>, count: Int)
    /// Copies columns of numbers that lie side by side.
    case copy(Operand, to: Operand)
  }

  private struct Instruction {
    var product: ProductPlan.Call?
    var addition: (target: UnsafeMutablePointer<Float>, source: UnsafeMutablePointer<Float>)?
    var copy: (target: UnsafeMutableRawPointer, source: UnsafeMutableRawPointer)?
    /// Numbers to add, or bytes of a column to copy.
    var count = 0
    /// Columns to copy, and bytes from one to the next.
    var columns = 0
    var targetStep = 0
    var sourceStep = 0
  }

  /// What a thread needs to know.
  private struct Context: BitwiseCopyable {
    let instructions: UnsafeMutablePointer<Instruction>
    /// Piece k is the instructions `pieceStarts[k] ..< pieceStarts[k + 1]`.
    let pieceStarts: UnsafeMutablePointer<Int>
    /// Of each piece: the status of the product that failed, or 0.
    let statuses: UnsafeMutablePointer<UInt32>
  }

  private let plans: [ProductPlan]
  private let instructions: UnsafeMutableBufferPointer<Instruction>
  private let pieceStarts: UnsafeMutableBufferPointer<Int>
  private let statuses: UnsafeMutableBufferPointer<UInt32>

  init(pieces: [[Step]]) {
    var plans: [ProductPlan] = []
    let list = pieces.joined().map { step in
      switch step {
      case .product(let plan):
        plans.append(plan)
        return Instruction(product: plan.call)
      case .addition(let target, let source, let count):
        return Instruction(addition: (target, source), count: count)
      case .copy(let source, let target):
        precondition(source.rowStep == 1 && target.rowStep == 1)
        return Instruction(
          copy: (target.address, source.address), count: source.rows * source.precision.byteCount,
          columns: source.columns, targetStep: target.columnStep * target.precision.byteCount,
          sourceStep: source.columnStep * source.precision.byteCount)
      }
    }
    self.plans = plans
    instructions = .allocate(capacity: max(list.count, 1))
    _ = instructions.initialize(from: list)
    pieceStarts = .allocate(capacity: pieces.count + 1)
    pieceStarts.initialize(repeating: 0)
    for (index, piece) in pieces.enumerated() {
      pieceStarts[index + 1] = pieceStarts[index] + piece.count
    }
    statuses = .allocate(capacity: max(pieces.count, 1))
    statuses.initialize(repeating: 0)
  }

  deinit {
    instructions.deallocate()
    pieceStarts.deallocate()
    statuses.deallocate()
  }

  /// - Throws: ``OneDNNError``.
  func run() throws {
    try Timeline.record(.product) { try runPieces() }
  }

  private func runPieces() throws {
    guard let instructions = instructions.baseAddress, let starts = pieceStarts.baseAddress,
      let statuses = statuses.baseAddress
    else { return }
    let pieceCount = pieceStarts.count - 1
    WorkTeam.share(
      { context, begin, end in
        let context = context.assumingMemoryBound(to: Context.self).pointee
        for piece in begin..<end { ProductProgram.run(piece: piece, of: context) }
      }, of: pieceCount,
      with: Context(instructions: instructions, pieceStarts: starts, statuses: statuses))
    for piece in 0..<pieceCount where statuses[piece] != 0 {
      throw OneDNNError(call: "dnnl_primitive_execute", status: Int(statuses[piece]))
    }
  }

  private static func run(piece: Int, of context: Context) {
    for index in context.pieceStarts[piece]..<context.pieceStarts[piece + 1] {
      let instruction = context.instructions[index]
      if let product = instruction.product {
        let status = product.run()
        if status != dnnl_success { context.statuses[piece] = status.rawValue }
      } else if let (target, source) = instruction.addition {
        VectorMath.kernels.pointee.add(target, source, instruction.count)
      } else if let (target, source) = instruction.copy {
        for column in 0..<instruction.columns {
          (target + column * instruction.targetStep).copyMemory(
            from: source + column * instruction.sourceStep, byteCount: instruction.count)
        }
      }
    }
  }
}

/// How results are cut, for the caches and for the threads.
enum Panels {
  /// `extent` columns or rows in so many panels or fewer, whole cache lines of float32 each and none empty.
  static func ranges(of extent: Int, count: Int) -> [Range<Int>] {
    let lines = (extent + 15) / 16
    let panels = min(count, lines)
    return (0..<panels).map {
      min(extent, lines * $0 / panels * 16)..<min(extent, lines * ($0 + 1) / panels * 16)
    }
  }

  /// `extent` rows of so many numbers in panels that stay in the second cache, as many a thread.
  static func cached(_ extent: Int, width: Int) -> [Range<Int>] {
    let cachedNumbers = 1 << 15
    let threads = WorkTeam.threadCount
    let least = (extent * width + cachedNumbers - 1) / cachedNumbers
    return ranges(of: extent, count: (least + threads - 1) / threads * threads)
  }
}

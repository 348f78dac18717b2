import Collectives

/// Where sums are kept until they are added: the sum of all in the end is at the first place.
public struct SumStack {
  /// `[count]`.
  public let sum: UnsafeMutablePointer<Float>
  private let others: UnsafeMutablePointer<Float>?
  private let count: Int

  /// - Parameters:
  ///   - sum: the first place, `[count]`; nil for one of the workspace.
  ///   - depth: places.
  ///   - count: numbers of a place at most.
  /// - Throws: `MemoryError`.
  public init(
    sum: UnsafeMutablePointer<Float>? = nil, depth: Int, count: Int, in workspace: Workspace
  ) throws {
    self.count = count
    self.sum = try sum ?? workspace.matrix(rows: 1, columns: count).elements
    others =
      depth > 1 ? try workspace.matrix(rows: depth - 1, columns: count).elements : nil
  }

  subscript(place: Int) -> UnsafeMutablePointer<Float> {
    guard place > 0 else { return sum }
    guard let others else { preconditionFailure("a stack of one place") }
    return others + (place - 1) * count
  }
}

/// One factor of a weight gradient: rows of several passes, one pass behind the other.
public enum GradientFactor: BitwiseCopyable {
  /// `[passes * rows, columns]`.
  case float32(Matrix)
  case bfloat16(PairedRows)
}

/// A layer's weight gradient, or some outputs of it.
extension InstructionList {
  /// `result[outputs, columns] = Σ left[row, outputs] * right[row, columns]` over the rows of some passes.
  ///
  /// - Parameters:
  ///   - left: the gradient of the layer's output, `[passes * rows, all outputs]`.
  ///   - right: the layer's input, `[passes * rows, columns]`, in the same precision.
  ///   - outputs: a run of the columns of `left`.
  ///   - order: of a pass.
  /// - Returns: the result, in memory of the list's.
  /// - Throws: ``KernelError``, `MemoryError`.
  public func weightGradient(
    _ left: GradientFactor, outputs: Range<Int>, times right: GradientFactor, passes: Int,
    order: SummationOrder, stack: SumStack
  ) throws {
    let rowsOfPass = order.rowsOfPass
    let leftFactor: LeftFactor
    let rightFactor: RightFactor
    let columns: Int
    // First row of a kernel's `inner` for a row of a pass, and how many it is.
    let inner: (_ rows: Range<Int>, _ pass: Int) -> Range<Int>
    switch (left, right) {
    case (.float32(let left), .float32(let right)):
      leftFactor = LeftFactor(
        address: left.elements + outputs.lowerBound, precision: .float32, stride: left.columns,
        isTransposed: true)
      rightFactor = RightFactor(
        address: right.elements, precision: .float32, stride: right.columns)
      columns = right.columns
      inner = { rows, pass in
        pass * rowsOfPass + rows.lowerBound..<pass * rowsOfPass + rows.upperBound
      }
    case (.bfloat16(let left), .bfloat16(let right)):
      // Kernels take the pairs of an output as neighbours.
      let pairs = passes * left.pairsOfPass
      let transposed = try workspace.zeros(of: UInt32.self, count: outputs.count * pairs)
      try transpose(
        left.words + outputs.lowerBound, rows: pairs, columns: outputs.count, stride: left.columns,
        into: transposed.baseAddress!, resultStride: pairs)
      leftFactor = LeftFactor(
        address: transposed.baseAddress!, precision: .bfloat16, stride: 2 * pairs)
      rightFactor = RightFactor(
        address: right.words, precision: .bfloat16, stride: right.columns)
      columns = right.columns
      inner = { rows, pass in
        let pairs = PairedRows.pairs(rows)
        let begin = pass * left.pairsOfPass
        return 2 * (begin + pairs.lowerBound)..<2 * (begin + pairs.upperBound)
      }
    default: preconditionFailure("factors of two precisions")
    }
    let tileSize = outputs.count * columns
    var place = 0
    for (rows, additions) in zip(order.terms, order.additions) {
      let tile = stack[place]
      // One chain goes through all passes; where they are neighbours in memory, it is one call.
      var parts: [Range<Int>] = []
      for pass in 0..<passes {
        let part = inner(rows, pass)
        if let last = parts.last, last.upperBound == part.lowerBound {
          parts[parts.count - 1] = last.lowerBound..<part.upperBound
        } else {
          parts.append(part)
        }
      }
      for outputs in Cut.pieces(of: 0..<outputs.count, size: Cut.rows) {
        for columnsOfPart in Cut.wideColumns(columns) {
          for (index, part) in parts.enumerated() {
            try multiply(
              leftFactor, rows: outputs, rightFactor, columns: columnsOfPart, inner: part,
              into: Tile(
                elements: tile + outputs.lowerBound * columns + columnsOfPart.lowerBound,
                stride: columns, rows: outputs.count, columns: columnsOfPart.count),
              accumulates: index > 0)
          }
        }
      }
      for _ in 0..<additions {
        place -= 1
        add(stack[place + 1], to: stack[place], count: tileSize)
      }
      place += 1
    }
    endVectors()
  }

  private struct ColumnSums: BitwiseCopyable {
    let matrix: UnsafePointer<Float>
    let rows, stride, columns: Int
    let accumulates: Bool
    let sums: UnsafeMutablePointer<Float>
  }

  /// `sums[outputs] = Σ left[row, outputs]` in the same order: the gradient of a bias.
  public func biasGradient(
    _ left: Matrix, outputs: Range<Int>, passes: Int, order: SummationOrder, stack: SumStack
  ) {
    let rowsOfPass = order.rowsOfPass
    var place = 0
    for (rows, additions) in zip(order.terms, order.additions) {
      for pass in 0..<passes {
        append(
          .sum,
          ColumnSums(
            matrix: left.elements + (pass * rowsOfPass + rows.lowerBound) * left.columns
              + outputs.lowerBound,
            rows: rows.count, stride: left.columns, columns: outputs.count, accumulates: pass > 0,
            sums: stack[place])
        ) { operands, _ in
          let it = operands.assumingMemoryBound(to: ColumnSums.self).pointee
          VectorMath.kernels.pointee.columnSums(
            it.matrix, it.stride, it.rows, it.columns, it.accumulates, it.sums)
        }
      }
      for _ in 0..<additions {
        place -= 1
        add(stack[place + 1], to: stack[place], count: outputs.count)
      }
      place += 1
    }
  }
}

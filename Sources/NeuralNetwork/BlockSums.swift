import Collectives
import Matrices

/// What each block of a batch's rows adds to sums over all rows, `[blocks, passes, count]`, in memory that a host's
/// ranks share: blocks are the leaves of the tree in which they are added.
struct BlockSums {
  /// As an exchange needs them: a row a block.
  let rows: TravellingRows
  private let numbers: UnsafeMutablePointer<Double>
  private let passes, count: Int
  private let order: SummationOrder

  /// Every rank must call this.
  /// - Parameter count: sums of a pass.
  /// - Throws: what the collective throws.
  init(passes: Int, count: Int, of batch: DistributedBatch) throws {
    (self.passes, self.count) = (passes, count)
    order = SummationOrder(rows: batch.rows, leafSize: BatchPlacement.blockSize)
    numbers = try batch.collective.makeNumbers(
      of: Double.self, count: order.leaves.count * passes * count, for: "sums over a batch"
    ).baseAddress!
    rows = TravellingRows(
      address: UnsafeMutableRawPointer(numbers),
      bytesOfRow: passes * count * MemoryLayout<Double>.stride,
      rowsOfHosts: batch.placement.rowsOfHosts.map(BatchPlacement.blocks))
  }

  /// The blocks that some rows of a pass are, and their rows.
  func blocks(_ rows: Range<Int>) -> [(block: Int, rows: Range<Int>)] {
    BatchPlacement.blocks(rows).map { ($0, order.leaves[$0]) }
  }

  /// Where a block's part of a pass is written, `[count]`.
  func part(_ block: Int, ofPass pass: Int) -> UnsafeMutablePointer<Double> {
    numbers + (block * passes + pass) * count
  }

  /// How a worker adds up the blocks of a pass.
  struct Walk: BitwiseCopyable {
    private let parts: UnsafeMutablePointer<Double>
    private let stride, count, blocks, lastRows: Int
    /// `[depth, count]`; the sums are at the beginning in the end.
    let stack: UnsafeMutablePointer<Double>

    /// - Parameters:
    ///   - parts: of the first block; those of the next begin `stride` numbers later, or `count` numbers.
    ///   - order: of the blocks.
    ///   - workspace: of the worker.
    /// - Throws: `MemoryError`.
    init(
      parts: UnsafeMutablePointer<Double>, stride: Int? = nil, count: Int, order: SummationOrder,
      in workspace: Workspace
    ) throws {
      (self.parts, self.count, self.stride) = (parts, count, stride ?? count)
      (blocks, lastRows) = (order.leaves.count, order.leaves.last?.count ?? 0)
      stack = try workspace.zeros(of: Double.self, count: order.depth * count).baseAddress!
    }

    /// What a block adds.
    func part(_ block: Int) -> UnsafeMutablePointer<Double> { parts + block * stride }

    /// Rows of a block.
    private func rows(_ block: Int) -> Int {
      block + 1 == blocks ? lastRows : BatchPlacement.blockSize
    }

    /// Adds up in the tree's order.
    /// - Parameter add: the sums at the second place, of so many rows, to those at the first.
    @inline(__always)
    private func run(
      _ add: (
        _ sums: UnsafeMutablePointer<Double>, _ rows: Int, _ others: UnsafeMutablePointer<Double>,
        _ otherRows: Int
      ) -> Void
    ) {
      // Complete trees have 2^k blocks: how many rows are behind a place follows from the blocks before.
      var height = 0
      for block in 0..<blocks {
        (stack + height * count).update(from: part(block), count: count)
        height += 1
        let isLast = block + 1 == blocks
        let additions = isLast ? block.nonzeroBitCount : (block + 1).trailingZeroBitCount
        var (size, own) = (1, rows(block))
        for _ in 0..<additions {
          height -= 1
          if isLast {
            // The tree before holds the lowest set bit of the blocks before it.
            let before = block + 1 - size
            let others = before & -before
            add(
              stack + (height - 1) * count, others * BatchPlacement.blockSize,
              stack + height * count, own)
            own += others * BatchPlacement.blockSize
            size += others
          } else {
            let half = size * BatchPlacement.blockSize
            add(stack + (height - 1) * count, half, stack + height * count, half)
            size *= 2
          }
        }
      }
    }

    /// Plain sums.
    func add() {
      run { sums, _, others, _ in
        for index in 0..<count { sums[index] += others[index] }
      }
    }

    /// Means and sums of squared distances from them, `[count / 2]` each, become those of all rows (Chan et al., 1983).
    func mergeMoments() {
      let columns = count / 2
      run { moments, rows, others, otherRows in
        VectorMath.kernels.pointee.mergeMoments(
          Double(rows), moments, moments + columns, Double(otherRows), others, others + columns,
          columns)
      }
    }
  }

  /// - Parameter workspace: of the worker.
  /// - Throws: `MemoryError`.
  func walk(ofPass pass: Int, in workspace: Workspace) throws -> Walk {
    try Walk(
      parts: part(0, ofPass: pass), stride: passes * count, count: count, order: order,
      in: workspace)
  }
}

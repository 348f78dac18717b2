import Collectives
import Matrices

/// Numbers of each row of a batch, `[B, count]`, and their means over all rows: blocks are the leaves of the sums.
public final class RowMeans {
  private let numbers: UnsafeMutablePointer<Double>
  let count: Int
  private let rowCount: Int
  private let sums: BlockSums
  private let walk: BlockSums.Walk
  private let workspace = Workspace()

  /// Every rank must call this.
  /// - Throws: what the collective throws.
  public init(count: Int, of batch: DistributedBatch) throws {
    (self.count, rowCount) = (count, batch.rows)
    numbers = try batch.collective.makeNumbers(
      of: Double.self, count: batch.rows * count, for: "losses of a batch"
    ).baseAddress!
    sums = try BlockSums(.sums, passes: 1, count: count, of: batch)
    walk = try sums.walk(ofPass: 0, in: workspace)
  }

  /// What has to run inside the exchange between ``addUp(_:in:)`` and ``take()``.
  public var movement: Movement { sums.movement }

  /// The numbers of a row, `[count]`.
  func ofRow(_ row: Int) -> UnsafeMutablePointer<Double> { numbers + row * count }

  /// The mean of number `index` over all rows, after ``take()``.
  public subscript(index: Int) -> Double { walk.stack[index] / Double(rowCount) }

  private struct Block: BitwiseCopyable {
    let numbers, sum: UnsafeMutablePointer<Double>
    let rows, count: Int
  }

  /// Adds up the worker's rows, block by block.
  public func addUp(_ rows: Range<Int>, in list: InstructionList) {
    for (block, rows) in sums.blocks(rows) {
      let operands = Block(
        numbers: ofRow(rows.lowerBound), sum: sums.part(block, ofPass: 0), rows: rows.count,
        count: count)
      list.append(.sum, operands) { operands, _ in
        let it = operands.assumingMemoryBound(to: Block.self).pointee
        it.sum.update(repeating: 0, count: it.count)
        for row in 0..<it.rows {
          for index in 0..<it.count { it.sum[index] += it.numbers[row * it.count + index] }
        }
      }
    }
  }

  /// Takes the means; every rank does it for itself.
  public func take() { walk.run() }
}

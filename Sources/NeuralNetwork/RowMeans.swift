import Collectives
import Matrices

/// Numbers of each row of a batch, `[B, count]`, and their means over all rows: blocks are the leaves of the sums.
public final class RowMeans {
  /// As an exchange needs them.
  public let rows: TravellingRows
  private let numbers: UnsafeMutablePointer<Double>
  let count: Int
  private let rowCount: Int
  private let sums: BlockSums.Walk
  private let order: SummationOrder
  private let workspace = Workspace()

  /// Every rank must call this.
  /// - Throws: what the collective throws.
  public init(count: Int, of batch: DistributedBatch) throws {
    (self.count, rowCount) = (count, batch.rows)
    numbers = try batch.collective.makeNumbers(
      of: Double.self, count: batch.rows * count, for: "losses of a batch"
    ).baseAddress!
    rows = TravellingRows(
      address: UnsafeMutableRawPointer(numbers),
      bytesOfRow: count * MemoryLayout<Double>.stride, rowsOfHosts: batch.placement.rowsOfHosts)
    order = SummationOrder(rows: batch.rows, leafSize: BatchPlacement.blockSize)
    sums = try BlockSums.Walk(
      parts: try workspace.zeros(of: Double.self, count: order.leaves.count * count).baseAddress!,
      count: count, order: order, in: workspace)
  }

  /// The numbers of a row, `[count]`.
  func ofRow(_ row: Int) -> UnsafeMutablePointer<Double> { numbers + row * count }

  /// The mean of number `index` over all rows, after ``take()``.
  public subscript(index: Int) -> Double { sums.stack[index] / Double(rowCount) }

  /// Takes the means; every rank does it for itself.
  public func take() {
    for (block, rows) in order.leaves.enumerated() {
      let sum = sums.part(block)
      sum.update(repeating: 0, count: count)
      for row in rows {
        for index in 0..<count { sum[index] += numbers[row * count + index] }
      }
    }
    sums.add()
  }
}

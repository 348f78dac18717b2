import Collectives
import Matrices

/// A global batch seen from one rank: whose rows are whose, and how to reach the others.
public struct DistributedBatch {
  public let collective: any Collective
  public let placement: BatchPlacement

  public init(globalBatchSize: Int, collective: any Collective) {
    self.collective = collective
    placement = BatchPlacement(globalBatchSize: globalBatchSize, topology: collective.topology)
  }

  /// A batch that one rank holds whole, on all its threads.
  public static func solo(rows: Int) -> DistributedBatch {
    DistributedBatch(
      globalBatchSize: rows, collective: SoloCollective(threads: WorkTeam.threadCount))
  }

  /// B, in samples.
  public var rows: Int { placement.globalBatchSize }

  /// A matrix of zeros that all ranks of the host see, `[rows, columns]`. Every rank must call this.
  /// - Throws: what the collective throws.
  public func matrix(rows: Int, columns: Int) throws -> Matrix {
    let numbers = try collective.makeNumbers(
      of: Float.self, count: rows * columns, for: "a matrix of \(rows) x \(columns) numbers")
    return Matrix(elements: numbers.baseAddress!, rows: rows, columns: columns)
  }

  /// Rows of a pass of `matrix[passes * B, columns]`, as they travel between hosts.
  func travelling(_ matrix: Matrix, pass: Int) -> TravellingRows {
    TravellingRows(
      address: UnsafeMutableRawPointer(matrix.elements + pass * rows * matrix.columns),
      bytesOfRow: matrix.columns * MemoryLayout<Float>.stride, rowsOfHosts: placement.rowsOfHosts)
  }

  /// The same of pairs of rows.
  func travelling(_ pairs: PairedRows, pass: Int) -> TravellingRows {
    TravellingRows(
      address: UnsafeMutableRawPointer(pairs.pass(pass)),
      bytesOfRow: pairs.columns * MemoryLayout<UInt32>.stride,
      rowsOfHosts: placement.rowsOfHosts.map(PairedRows.pairs))
  }
}

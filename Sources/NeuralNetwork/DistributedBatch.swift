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

  /// Rows that this host needs and others write, for each thread of this rank: all workers of the host share them out.
  public func rowsOfOthers(_ rowsForHosts: [Range<Int>]) -> [[Range<Int>]] {
    let topology = collective.topology
    let (own, needed) = (
      placement.rowsOfHosts[topology.host], rowsForHosts[topology.host]
    )
    let parts = [
      needed.lowerBound..<max(needed.lowerBound, min(own.lowerBound, needed.upperBound)),
      min(max(own.upperBound, needed.lowerBound), needed.upperBound)..<needed.upperBound,
    ]
    return topology.ownWorkers.map { worker in
      parts.map { part in
        let blocks = BatchPlacement.blocks(part)
        let share = BatchPlacement.share(worker, of: blocks.count, over: topology.workerCount)
        func row(_ block: Int) -> Int {
          min((blocks.lowerBound + block) * BatchPlacement.blockSize, part.upperBound)
        }
        return row(share.lowerBound)..<row(share.upperBound)
      }.filter { !$0.isEmpty }
    }
  }

  /// Rows of a pass of `matrix[passes * B, columns]`, as they travel between hosts.
  func travelling(_ matrix: Matrix, pass: Int, _ rowsForHosts: [Range<Int>]) -> TravellingRows {
    TravellingRows(
      address: UnsafeMutableRawPointer(matrix.elements + pass * rows * matrix.columns),
      bytesOfRow: matrix.columns * MemoryLayout<Float>.stride,
      rowsOfPlaces: placement.rowsOfPlaces, rowsForHosts: rowsForHosts)
  }

  /// The same of pairs of rows.
  func travelling(_ pairs: PairedRows, pass: Int, _ rowsForHosts: [Range<Int>]) -> TravellingRows {
    TravellingRows(
      address: UnsafeMutableRawPointer(pairs.pass(pass)),
      bytesOfRow: pairs.columns * MemoryLayout<UInt32>.stride,
      rowsOfPlaces: placement.rowsOfPlaces.map(PairedRows.pairs),
      rowsForHosts: rowsForHosts.map(PairedRows.pairs))
  }
}

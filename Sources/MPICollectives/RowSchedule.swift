import Collectives

/// Which rows travel between which hosts in an exchange: every host gets all rows of all others, each once.
struct RowSchedule: Equatable {
  /// Rows of one matrix, between two hosts.
  struct Transfer: Equatable {
    let from, to: Int
    /// Which of the exchange's matrices.
    let matrix: Int
    /// In bytes from the first row.
    let bytes: Range<Int>
    let tag: Int
  }

  /// What a host sends, the next host first: not all begin with the same.
  let sent: [Transfer]
  /// What it receives.
  let received: [Transfer]

  /// - Parameters:
  ///   - rows: of each matrix: bytes of a row, and the rows that each host writes.
  ///   - firstTag: of as many tags as there are matrices.
  init(
    _ rows: [(bytesOfRow: Int, rowsOfHosts: [Range<Int>])], host: Int, hostCount: Int, firstTag: Int
  ) {
    let others = (1..<max(hostCount, 1)).map { (host + $0) % hostCount }
    func transfers(_ pairs: [(from: Int, to: Int)]) -> [Transfer] {
      pairs.flatMap { pair in
        rows.enumerated().compactMap { matrix, rows in
          let range = rows.rowsOfHosts[pair.from]
          return range.isEmpty
            ? nil
            : Transfer(
              from: pair.from, to: pair.to, matrix: matrix,
              bytes: range.lowerBound * rows.bytesOfRow..<range.upperBound * rows.bytesOfRow,
              tag: firstTag + matrix)
        }
      }
    }
    sent = transfers(others.map { (host, $0) })
    received = transfers(others.map { ($0, host) })
  }

  /// Bytes that the host sends.
  var sentByteCount: Int { sent.reduce(0) { $0 + $1.bytes.count } }
}

/// What learning needs of other ranks, and all that it knows of them: memory that a host's ranks share, and exchanges.
///
/// Both are made once, before training; every rank must make the same ones in the same order. Nothing is allocated when
/// an exchange runs, and a tool can say by name what a rank waits for.
public protocol Collective: AnyObject {
  /// Who is where.
  var topology: Topology { get }

  /// Tells that a global training step (from 0) begins.
  func willBegin(step: Int)

  /// Zeros on a cache line that all ranks of the host see; they live as long as the collective.
  /// Every rank must call this, those of a host with the same size.
  /// - Throws: `MemoryError`, or what tells that there is no room, on all ranks.
  func makeMemory(byteCount: Int, for purpose: String) throws -> UnsafeMutableRawPointer

  /// A barrier of the host's ranks; if rows travel, then of all ranks, and after it every host has all rows.
  /// Every rank must call this.
  /// - Parameters:
  ///   - name: what people call it in a trace, a flight record, or when a rank is missing.
  ///   - rows: in memory that the ranks of each host share.
  func makeExchange(name: String, of rows: [TravellingRows]) throws -> any Exchange
}

extension Collective {
  public var rank: Int { topology.rank }
  public var rankCount: Int { topology.rankCount }
  public func willBegin(step: Int) {}

  /// Numbers that all ranks of the host see: zeros. Every rank must call this.
  public func makeNumbers<Number: Numeric & BitwiseCopyable>(
    of type: Number.Type = Number.self, count: Int, for purpose: String
  ) throws -> UnsafeMutableBufferPointer<Number> {
    let memory = try makeMemory(
      byteCount: max(count, 1) * MemoryLayout<Number>.stride, for: purpose)
    return UnsafeMutableBufferPointer(
      start: memory.bindMemory(to: type, capacity: max(count, 1)), count: count)
  }
}

/// Rows `[rows, bytesOfRow]` of which each host writes some, and all hosts need all.
public struct TravellingRows {
  /// Of the first row.
  public let address: UnsafeMutableRawPointer
  /// Bytes of a row; rows follow each other without gaps.
  public let bytesOfRow: Int
  /// Which rows each host writes; it may be none.
  public let rowsOfHosts: [Range<Int>]

  public init(address: UnsafeMutableRawPointer, bytesOfRow: Int, rowsOfHosts: [Range<Int>]) {
    (self.address, self.bytesOfRow, self.rowsOfHosts) = (address, bytesOfRow, rowsOfHosts)
  }
}

/// A barrier, planned once: what a rank wrote to shared memory before it, all ranks may read after it.
public protocol Exchange: AnyObject {
  /// Arrives, and waits for the others. Every rank must call this.
  /// - Parameter vote: this rank's.
  /// - Returns: whether all ranks of this host voted true.
  /// - Throws: what tells that a rank or a connection failed.
  func run(vote: Bool) throws -> Bool
}

extension Exchange {
  /// The same without a vote.
  public func run() throws { _ = try run(vote: true) }
}

/// A buffer cut into one slice a rank: counts and offsets as MPI's "v" collectives take them (MPI-3.1 section 5.1).
public struct Partition {
  /// Elements of each rank's slice.
  public let counts: [Int32]
  /// Where each slice begins, in elements.
  public let offsets: [Int32]

  /// Cuts `count` elements into slices of nearly one size, whole cache lines of float32 each.
  /// - Throws: ``MPIError`` for more elements than one message can name.
  public init(count: Int, rankCount: Int) throws {
    let total = try messageCount(count, "partition of \(count) elements")
    let slices = (0..<rankCount).map {
      Self.lines(of: Int(total), rankCount: rankCount, rank: $0)
    }
    offsets = slices.map { Int32($0.lowerBound) }
    counts = slices.map { Int32($0.count) }
  }

  /// One rank's slice of such a cut, of any number of elements.
  public static func lines(of count: Int, rankCount: Int, rank: Int) -> Range<Int> {
    let lines = (count + 15) / 16
    func start(_ rank: Int) -> Int { min(count, lines * rank / rankCount * 16) }
    return start(rank)..<start(rank + 1)
  }

  /// A cut with these counts, slices one behind the other.
  init(counts: [Int32]) {
    self.counts = counts
    var next: Int32 = 0
    offsets = counts.map { count in
      defer { next += count }
      return next
    }
  }

  /// The elements of a rank's slice.
  public func range(ofRank rank: Int) -> Range<Int> {
    Int(offsets[rank])..<Int(offsets[rank] + counts[rank])
  }
}

/// An all-gather of a fixed number of doubles from every rank (MPI-3.1 section 5.7, in shared memory).
///
/// Between reading what all gave and writing the next contribution, all ranks have to meet in some other exchange.
public final class AllGather {
  /// `[count]`: what this rank gives; to be written before ``run()``.
  public let contribution: UnsafeMutableBufferPointer<Double>
  /// As an exchange needs it: a row a rank.
  public let rows: TravellingRows
  private let all: UnsafeMutableBufferPointer<Double>
  private let placeOfRank: [Int]
  private let exchange: (any Exchange)?

  /// Every rank must call this.
  /// - Parameter name: of the exchange; nil if ``rows`` are to travel with another one.
  /// - Throws: what the collective throws.
  public init(name: String?, count: Int, over collective: any Collective) throws {
    let topology = collective.topology
    all = try collective.makeNumbers(
      count: topology.rankCount * count, for: "what \(topology.rankCount) ranks tell each other")
    let place = topology.place
    contribution = UnsafeMutableBufferPointer(rebasing: all[place * count..<(place + 1) * count])
    var placeOfRank = [Int](repeating: 0, count: topology.rankCount)
    for (place, rank) in topology.order.enumerated() { placeOfRank[rank] = place }
    self.placeOfRank = placeOfRank
    rows = TravellingRows(
      address: UnsafeMutableRawPointer(all.baseAddress!),
      bytesOfRow: count * MemoryLayout<Double>.stride,
      rowsOfHosts: (0..<topology.hostCount).map(topology.places(ofHost:)))
    exchange = try name.map { [rows] in try collective.makeExchange(name: $0, of: [rows]) }
  }

  /// Exchanges the contributions. Every rank must call this.
  public func run() throws { try exchange?.run() }

  /// What a rank gave last.
  public func ofRank(_ rank: Int) -> UnsafeBufferPointer<Double> {
    let count = contribution.count
    return UnsafeBufferPointer(
      rebasing: all[placeOfRank[rank] * count..<(placeOfRank[rank] + 1) * count])
  }

  /// Whether some rank gave a number other than 0. Nothing is allocated.
  public var isAnySet: Bool {
    for number in all where number != 0 { return true }
    return false
  }
}

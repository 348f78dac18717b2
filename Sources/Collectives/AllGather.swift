/// An all-gather of a fixed number of doubles from every rank (MPI-3.1 section 5.7), through the leaders of hosts.
///
/// Between reading what all gave and writing the next contribution, all ranks have to meet in some other exchange.
public final class AllGather {
  /// `[count]`: what this rank gives; to be written before ``run()``.
  public let contribution: UnsafeMutableBufferPointer<Double>
  private let all: UnsafeMutableBufferPointer<Double>
  private let placeOfRank: [Int]
  private let exchange: any Exchange

  /// Every rank must call this.
  /// - Throws: what the collective throws.
  public init(name: String, count: Int, over collective: any Collective) throws {
    let topology = collective.topology
    let places = topology.order.indices
    all = try collective.makeNumbers(
      count: places.count * count, for: "what \(places.count) ranks tell each other")
    let place = topology.place
    contribution = UnsafeMutableBufferPointer(rebasing: all[place * count..<(place + 1) * count])
    var placeOfRank = [Int](repeating: 0, count: places.count)
    for (place, rank) in topology.order.enumerated() { placeOfRank[rank] = place }
    self.placeOfRank = placeOfRank
    let rows = TravellingRows(
      address: UnsafeMutableRawPointer(all.baseAddress!),
      bytesOfRow: count * MemoryLayout<Double>.stride, rowsOfPlaces: places.map { $0..<$0 + 1 },
      rowsForHosts: Array(repeating: 0..<places.count, count: topology.hostCount))
    let movement = try collective.makeMovement(
      .rowsOfHosts(rows, topology), in: [rows.address], preparing: {}, adding: { _, _, _ in })
    exchange = try collective.makeExchange(name: name, finishing: [], inside: [movement])
  }

  /// Exchanges the contributions. Every rank must call this.
  public func run() throws { try exchange.run() }

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

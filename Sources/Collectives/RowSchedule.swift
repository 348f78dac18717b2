/// Rows `[rows, bytesOfRow]` of which each rank writes some, in memory that the ranks of each host share.
public struct TravellingRows {
  /// Of the first row.
  public let address: UnsafeMutableRawPointer
  /// Bytes of a row; rows follow each other without gaps.
  public let bytesOfRow: Int
  /// Which rows the ranks write, in the order of their places; it may be none.
  public let rowsOfPlaces: [Range<Int>]
  /// Which rows each host needs.
  public let rowsForHosts: [Range<Int>]

  public init(
    address: UnsafeMutableRawPointer, bytesOfRow: Int, rowsOfPlaces: [Range<Int>],
    rowsForHosts: [Range<Int>]
  ) {
    (self.address, self.bytesOfRow) = (address, bytesOfRow)
    (self.rowsOfPlaces, self.rowsForHosts) = (rowsOfPlaces, rowsForHosts)
  }

  /// Whether any host needs rows that another one's ranks write.
  public func travel(_ topology: Topology) -> Bool {
    rowsForHosts.enumerated().contains { host, needed in
      guard !needed.isEmpty else { return false }
      let own = topology.places(ofHost: host)
      return rowsOfPlaces.enumerated().contains { place, written in
        !own.contains(place) && written.overlaps(needed)
      }
    }
  }
}

extension Schedule {
  /// Each rank sends its own rows to one rank of each other host that needs some: nobody on its host is waited for, and
  /// all ranks of a host drive the network.
  ///
  /// Who receives for a host: its ranks by turns.
  public static func rowsOfRanks(_ matrices: [TravellingRows], _ topology: Topology) -> Schedule {
    func receiver(onHost host: Int, of rankOnHost: Int) -> Int {
      topology.ranksOfHosts[host][rankOnHost % topology.ranksOfHosts[host].count]
    }
    func pieces(fromPlace place: Int, toHost host: Int) -> [Piece] {
      matrices.enumerated().compactMap { region, matrix in
        let rows = matrix.rowsOfPlaces[place].clamped(to: matrix.rowsForHosts[host])
        return rows.isEmpty
          ? nil
          : Piece(
            region: region,
            bytes: rows.lowerBound * matrix.bytesOfRow..<rows.upperBound * matrix.bytesOfRow)
      }
    }
    var round = Round()
    for host in topology.otherHosts {
      let sent = pieces(fromPlace: topology.place, toHost: host)
      if !sent.isEmpty {
        round.sent.append(
          Message(rank: receiver(onHost: host, of: topology.rankOnHost), pieces: sent))
      }
      for (number, rank) in topology.ranksOfHosts[host].enumerated()
      where receiver(onHost: topology.host, of: number) == topology.rank {
        let place = topology.firstPlaces[host] + number
        let received = pieces(fromPlace: place, toHost: topology.host)
        if !received.isEmpty { round.received.append(Message(rank: rank, pieces: received)) }
      }
    }
    return Schedule(rounds: [round])
  }

  /// The leader of each host sends the rows of all its ranks, which lie side by side: few messages, after all ranks of
  /// the host have written.
  public static func rowsOfHosts(_ matrix: TravellingRows, _ topology: Topology) -> Schedule {
    guard topology.isLeader else { return Schedule() }
    func piece(_ host: Int) -> Piece {
      let places = topology.places(ofHost: host)
      let (first, last) = (
        matrix.rowsOfPlaces[places.lowerBound], matrix.rowsOfPlaces[places.upperBound - 1]
      )
      return Piece(
        region: 0,
        bytes: first.lowerBound * matrix.bytesOfRow..<last.upperBound * matrix.bytesOfRow)
    }
    var round = Round()
    for host in topology.otherHosts {
      let leader = topology.ranksOfHosts[host][0]
      round.sent.append(Message(rank: leader, pieces: [piece(topology.host)]))
      round.received.append(Message(rank: leader, pieces: [piece(host)]))
    }
    return Schedule(
      rounds: [round],
      operation: .gather(
        bytesOfHosts: topology.ranksOfHosts.indices.map { piece($0).bytes }))
  }
}

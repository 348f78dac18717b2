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
  ///
  /// With few hosts everybody sends to everybody. With many it takes log₂ H rounds: in round r each host passes on
  /// the rows of the last 2ʳ hosts, to the host that is 2ʳ further (Bruck et al., 1997).
  /// - Parameter mostDirect: how many hosts send to everybody.
  public static func rowsOfHosts(
    _ matrix: TravellingRows, _ topology: Topology,
    mostDirect: Int = NodeSchedule.mostHostsOfDirectExchange
  ) -> Schedule {
    guard topology.isLeader else { return Schedule() }
    let (host, hostCount) = (topology.host, topology.hostCount)
    func bytes(_ hosts: ClosedRange<Int>) -> Range<Int> {
      let rows = (
        matrix.rowsOfPlaces[topology.places(ofHost: hosts.lowerBound).lowerBound],
        matrix.rowsOfPlaces[topology.places(ofHost: hosts.upperBound).upperBound - 1]
      )
      return rows.0.lowerBound * matrix.bytesOfRow..<rows.1.upperBound * matrix.bytesOfRow
    }
    func message(_ other: Int, _ hosts: [ClosedRange<Int>]) -> Message {
      Message(
        rank: topology.ranksOfHosts[other][0],
        pieces: hosts.map { Piece(region: 0, bytes: bytes($0)) })
    }
    var rounds: [Round] = []
    if hostCount <= mostDirect {
      var round = Round()
      for other in topology.otherHosts {
        round.sent.append(message(other, [host...host]))
        round.received.append(message(other, [other...other]))
      }
      rounds = [round]
    } else {
      var distance = 1
      while distance < hostCount {
        let count = min(distance, hostCount - distance)
        // The hosts up to one, counted round a circle.
        func newest(_ last: Int) -> [ClosedRange<Int>] {
          let first = last - count + 1
          return first >= 0 ? [first...last] : [first + hostCount...hostCount - 1, 0...last]
        }
        let (next, previous) = (
          (host + distance) % hostCount, (host - distance + hostCount) % hostCount
        )
        var round = Round()
        round.sent = [message(next, newest(host))]
        round.received = [message(previous, newest(previous))]
        rounds.append(round)
        distance *= 2
      }
    }
    return Schedule(
      rounds: rounds, operation: .gather(bytesOfHosts: (0..<hostCount).map { bytes($0...$0) }))
  }
}

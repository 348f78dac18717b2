import Collectives
import Testing

@testable import MPICollectives

/// Which message goes from which host to which.
@Suite struct RowScheduleTests {
  private typealias Rows = (bytesOfRow: Int, rowsOfHosts: [Range<Int>])

  /// Matrices whose rows are dealt out to so many hosts; some may have none.
  private func matrices(_ hostCount: Int, rows: Int) -> [Rows] {
    let placement = BatchPlacement(
      globalBatchSize: rows,
      topology: Topology(
        rank: 0, ranksOfHosts: (0..<hostCount).map { [$0] },
        threadsOfRank: [Int](repeating: 1, count: hostCount)))
    return [(4, placement.rowsOfHosts), (3136, placement.rowsOfHosts)]
  }

  @Test(arguments: [2, 3, 4, 7, 64, 1024], [8, 64, 200, 65_536])
  func everyRowArrivesOnceOnEachHost(hostCount: Int, rows: Int) {
    let matrices = matrices(hostCount, rows: rows)
    let schedules = (0..<hostCount).map {
      RowSchedule(matrices, host: $0, hostCount: hostCount, firstTag: 5)
    }
    for host in [0, hostCount / 2, hostCount - 1] {
      for (index, matrix) in matrices.enumerated() {
        let own = matrix.rowsOfHosts[host]
        var bytes = schedules[host].received.filter { $0.matrix == index }.map(\.bytes)
        bytes.append(
          own.lowerBound * matrix.bytesOfRow..<own.upperBound * matrix.bytesOfRow)
        bytes.sort { $0.lowerBound < $1.lowerBound }
        var end = 0
        for range in bytes where !range.isEmpty {
          #expect(range.lowerBound == end)
          end = range.upperBound
        }
        #expect(end == rows * matrix.bytesOfRow)
      }
      // What a host receives, another one sends, with the same tag.
      for transfer in schedules[host].received {
        #expect(transfer.to == host && transfer.from != host)
        #expect(schedules[transfer.from].sent.contains(transfer))
      }
      let tags = Set(schedules[host].sent.map { [$0.to, $0.tag] })
      #expect(tags.count == schedules[host].sent.count)
      #expect(schedules[host].sent.allSatisfy { (5..<7).contains($0.tag) })
    }
  }

  @Test func oneHostSendsNothing() {
    let schedule = RowSchedule(matrices(1, rows: 64), host: 0, hostCount: 1, firstTag: 0)
    #expect(schedule.sent.isEmpty && schedule.received.isEmpty && schedule.sentByteCount == 0)
  }

  @Test func hostsWithoutRowsSendNothingAndReceiveAll() {
    let schedule = RowSchedule([(8, [0..<3, 3..<3])], host: 1, hostCount: 2, firstTag: 0)
    #expect(schedule.sent.isEmpty && schedule.received.map(\.bytes) == [0..<24])
  }
}

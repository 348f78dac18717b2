import FlightRecorder
import Glibc

/// The flight records of ranks that do not answer, as far as this host can read them.
struct MissingRankRecords {
  let folder: String?
  let hostOfRank: [String]

  /// What the rank entered last; nil if its record cannot be read, or does not go as far as the others know.
  func lastEntry(ofRank rank: Int, atLeast number: Int) -> FlightRecord.Entry? {
    guard let folder,
      let record = try? FlightRecord(path: FlightRecord.path(folder: folder, rank: rank)),
      record.rank == rank, record.rankCount == hostOfRank.count,
      record.hostName == hostOfRank[rank], let last = record.entries.last, last.number >= number
    else { return nil }
    return last
  }

  /// How long ago a time was, in seconds; clocks of other hosts may differ.
  static func secondsSince(_ time: Int) -> Double {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return max(0, Double(now.tv_sec) - Double(time) / 1e9 + Double(now.tv_nsec) / 1e9)
  }
}

import Files
import SystemPackage

/// All flight records of a run that can be read, and what is wrong with the others.
public struct FlightRecordFolder: Sendable {
  /// In the order of their ranks.
  public let records: [FlightRecord]
  /// One for each broken file.
  public let errors: [FlightRecordError]

  /// The folder with a run's flight records, within the run's folder.
  public static let name = "flight-record"

  /// Reads `rank_0000.bin` and so on.
  /// - Parameter path: the folder, or the run's folder around it.
  /// - Throws: ``FlightRecordError`` if there is no folder with such files.
  public init(path: String) throws {
    let inside = FilePath(path).appending(Self.name).string
    // What cannot be looked at is not passed over: listing it says why.
    let folder = FileStatus(path: inside) == .absent ? path : inside
    let ranks = try Self.ranks(folder)
    guard !ranks.isEmpty else {
      throw FlightRecordError(
        path: folder, reason: "no flight record (\(FlightRecordFormat.fileName(rank: 0)) …)")
    }
    var (records, errors): ([FlightRecord], [FlightRecordError]) = ([], [])
    for rank in ranks {
      let file = FlightRecord.path(folder: folder, rank: rank)
      do {
        let record = try FlightRecord(path: file)
        guard record.rank == rank else {
          throw FlightRecordError(
            path: file, offset: FlightRecordFormat.rankOffset, reason: "is of rank \(record.rank)")
        }
        if let first = records.first, first.rankCount != record.rankCount {
          throw FlightRecordError(
            path: file, offset: FlightRecordFormat.rankCountOffset,
            reason: "is of \(record.rankCount) ranks, others are of \(first.rankCount)")
        }
        records.append(record)
      } catch let error as FlightRecordError {
        errors.append(error)
      }
    }
    self.records = records
    self.errors = errors
  }

  private static func ranks(_ folder: String) throws -> [Int] {
    do throws(FileError) {
      return try FolderListing.names(in: folder)
        .compactMap { FlightRecordFormat.rank(ofFileName: $0.string) }.sorted()
    } catch {
      throw FlightRecordError(path: folder, reason: error.reason)
    }
  }
}

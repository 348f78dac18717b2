import Glibc
import SystemPackage

/// What a rank recorded of its last operations, read from its file.
public struct FlightRecord: Equatable, Sendable {
  /// One operation of the rank.
  public struct Entry: Equatable, Sendable {
    /// From 1, without gaps; the same operation has the same number on every rank.
    public let number: Int
    /// The exchange's name, such as "D.rows".
    public let name: String
    /// Global training step, from 0.
    public let step: Int
    /// What this rank gives, in bytes.
    public let byteCount: Int
    /// Wall clock, in nanoseconds since the epoch.
    public let entered: Int
    /// As `entered`; nil if the rank never left.
    public let left: Int?
  }

  public let rank: Int
  public let rankCount: Int
  public let hostName: String
  public let processID: Int
  /// In the order of their numbers.
  public let entries: [Entry]

}

extension FlightRecord {
  /// The file of a rank.
  public static func path(folder: String, rank: Int) -> String {
    FilePath(folder).appending(FlightRecordFormat.fileName(rank: rank)).string
  }

  /// Reads a file, of a process that is gone or still writes.
  /// - Throws: ``FlightRecordError`` for whatever is not a whole flight record.
  public init(path: String) throws {
    self = try FlightRecordReader(path: path, bytes: Self.contents(path)).record()
  }

  private static func contents(_ path: String) throws -> [UInt8] {
    // Without O_NONBLOCK a named pipe in place of the file would be waited for.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw FlightRecordError(path: path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FlightRecordError(path: path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FlightRecordError(path: path, reason: "not a file")
    }
    let largest = FlightRecordFormat.fileSize(
      nameCapacity: FlightRecordFormat.nameCapacityRange.upperBound,
      slotCount: FlightRecordFormat.slotCountRange.upperBound)
    guard (0...largest).contains(status.st_size) else {
      throw FlightRecordError(path: path, reason: "\(status.st_size) bytes are too many")
    }
    var bytes = [UInt8](repeating: 0, count: status.st_size)
    var count = 0
    while count < bytes.count {
      let got = bytes.withUnsafeMutableBytes {
        read(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count)
      }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw FlightRecordError(path: path) }
      if got == 0 { break }
      count += got
    }
    return Array(bytes[..<count])
  }
}

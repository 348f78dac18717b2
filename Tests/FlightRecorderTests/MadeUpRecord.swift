import Foundation
import TestSupport

@testable import FlightRecorder

/// Flight records in a folder of their own.
struct MadeUpRecord {
  let scratch: TemporaryFolder
  var folder: String { scratch.folder.path }

  init() throws { scratch = try TemporaryFolder() }

  func path(rank: Int = 0) -> String { FlightRecord.path(folder: folder, rank: rank) }

  func recorder(
    rank: Int = 0, rankCount: Int = 2, hostName: String = "node1", slotCount: Int = 8,
    nameCapacity: Int = 4
  ) throws -> FlightRecorder {
    try FlightRecorder(
      folder: folder, rank: rank, rankCount: rankCount, hostName: hostName, slotCount: slotCount,
      nameCapacity: nameCapacity)
  }

  /// A file with a name and so many operations, the last of which is not left.
  func write(rank: Int = 0, rankCount: Int = 2, operations: Int) throws {
    let recorder = try recorder(rank: rank, rankCount: rankCount)
    let name = recorder.register(name: "layer.forward")
    for operation in 0..<operations {
      recorder.step = operation / 2
      recorder.enter(name: name, byteCount: 64)
      if operation < operations - 1 { recorder.leave() }
    }
  }

  /// The file with bytes of it changed.
  func change(rank: Int = 0, _ change: (inout [UInt8]) -> Void) throws {
    let url = URL(fileURLWithPath: path(rank: rank))
    var bytes = [UInt8](try Data(contentsOf: url))
    change(&bytes)
    try Data(bytes).write(to: url)
  }

  func error(rank: Int = 0) -> FlightRecordError? {
    do {
      _ = try FlightRecord(path: path(rank: rank))
      return nil
    } catch {
      return error as? FlightRecordError
    }
  }
}

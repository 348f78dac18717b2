import CZlib
import Foundation

/// A folder of files made for one test, removed with the object.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "MNISTFamilyTests-\(UUID())")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  struct CannotWrite: Error {
    let path: String
  }

  /// Path of an entry, with the folders above it made.
  func entry(_ name: String) throws -> String {
    let url = URL(fileURLWithPath: path).appending(path: name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    return url.path
  }

  /// Writes `bytes` as they are.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let path = try entry(name)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// Writes `bytes` gzipped.
  @discardableResult
  func writeGzipped(_ bytes: [UInt8], to name: String) throws -> String {
    let path = try entry(name)
    guard let file = gzopen(path, "wb") else { throw CannotWrite(path: path) }
    let written = bytes.isEmpty ? 0 : gzwrite(file, bytes, UInt32(bytes.count))
    guard gzclose(file) == Z_OK, Int(written) == bytes.count else { throw CannotWrite(path: path) }
    return path
  }

  /// `bytes` gzipped, in memory.
  func gzipped(_ bytes: [UInt8]) throws -> [UInt8] {
    let path = try writeGzipped(bytes, to: "gzipped")
    defer { try? FileManager.default.removeItem(atPath: path) }
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }
}

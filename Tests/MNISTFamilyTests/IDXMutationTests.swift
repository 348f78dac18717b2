import CZlib
import Foundation
import MNISTFamily
import TestSupport
import Testing

/// One file in memory whose content is replaced again and again.
private final class ReplaceableFile {
  let path: String
  private let descriptor: Int32

  init(name: String) {
    // Where there is no file system in memory, the usual place is only slower.
    let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
    path = "\(folder)/gan-dist-test-\(UUID().uuidString)-\(name)"
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
  }

  deinit {
    close(descriptor)
    unlink(path)
  }

  func replace(with bytes: [UInt8]) -> Bool {
    ftruncate(descriptor, 0) == 0 && pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
  }
}

/// `bytes` in a sound gzip stream that does not compress them.
private func stored(_ bytes: [UInt8]) -> [UInt8] {
  func littleEndian(_ number: UInt32, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
  }
  let size = UInt32(bytes.count)
  let sum = UInt32(crc32(0, bytes, size))
  return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1] + littleEndian(size, 2) + littleEndian(~size, 2)
    + bytes + littleEndian(sum, 4) + littleEndian(size, 4)
}

@Suite struct IDXMutationTests {
  private let set = MadeUpSet(count: 2)

  private func tryReading(
    _ name: String, _ originals: [[UInt8]], as content: IDXFile.Content,
    packed: @escaping ([UInt8]) -> [UInt8] = { $0 }
  ) throws {
    let file = ReplaceableFile(name: name)
    let trial = try MutationTrial(of: name, path: file.path, originals: originals) { input in
      guard file.replace(with: packed(input)) else { return "the file cannot be written" }
      do throws(DataSetError) {
        let read = try IDXFile(path: file.path, expecting: content)
        let (dimensions, count) = (read.dimensions, read.withUnsafeBytes { $0.count })
        #expect(count == dimensions.reduce(1, *))
        return nil
      } catch {
        return error.description
      }
    }
    #expect(trial.complaints.isEmpty, "\(trial.complaints.joined(separator: "\n"))")
    // Both must occur, or the trial tries nothing.
    #expect(trial.acceptedCount > 100)
    #expect(trial.refusedCount > MutationTrial.inputCount / 4)
  }

  @Test(.timeLimit(.minutes(5)))
  func plainImagesStandAnyDamage() throws {
    try tryReading("idx", [set.imagesFile], as: .images)
  }

  @Test(.timeLimit(.minutes(5)))
  func damagedGzipIsTaken() throws {
    let compressed = try TemporaryFolder().gzipped(set.imagesFile)
    try tryReading("idx.gz", [compressed, stored(set.imagesFile)], as: .images)
  }

  @Test(.timeLimit(.minutes(5)))
  func damagedImagesInSoundGzipAreTaken() throws {
    try tryReading("idx in gzip", [set.imagesFile], as: .images, packed: stored)
  }
}

import Foundation
import Testing

@testable import MNISTFamily

/// Headers that are sound but for the sizes they claim, plain and gzipped.
@Suite struct IDXStructureMutationTests {
  private static let sizes = [
    0, 1, 2, 28, 65_536, Int(Int32.max), 1 << 31, Int(UInt32.max),
  ]

  @Test(.timeLimit(.minutes(15)), arguments: [false, true])
  func sizesOfImagesMayBeAnything(gzipped: Bool) throws {
    let folder = try TemporaryFolder()
    var (accepted, refused) = (0, 0)
    for count in Self.sizes {
      for height in Self.sizes {
        for width in Self.sizes {
          let bytes = bigEndian([0x0803, count, height, width]) + [1, 2, 3, 4]
          let path =
            try gzipped
            ? folder.writeGzipped(bytes, to: "images") : folder.write(bytes, to: "images")
          do throws(DataSetError) {
            let file = try IDXFile(path: path, expecting: .images)
            #expect(file.dimensions.reduce(1, *) == 4)
            accepted += 1
          } catch {
            #expect(error.kind == .broken, "\(error)")
            #expect(error.description.contains("at byte "), "\(error)")
            refused += 1
          }
        }
      }
    }
    #expect(refused > 20)
    #expect(accepted == 3)
  }

  /// More than can be numbered in a shuffle: refused by the header, before any content is read.
  @Test func asManyImagesAsCanBeShuffled() throws {
    let folder = try TemporaryFolder()
    for (content, header) in [
      (IDXFile.Content.labels, [0x0801, 1 << 31]), (.images, [0x0803, 1 << 31, 1, 1]),
    ] {
      let path = try folder.write(bigEndian(header), to: "file")
      let error = #expect(throws: DataSetError.self) {
        _ = try IDXFile(path: path, expecting: content)
      }
      #expect(error?.kind == .broken)
      #expect(
        error?.description.contains("at byte 4: expected at most 2147483647 \(content)") == true)
    }
  }
}

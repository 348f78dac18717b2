import Foundation
import MNISTFamily
import Testing

/// The error of reading `path` as `content`; nil if it reads.
private func error(reading path: String, as content: IDXFile.Content = .images) -> DataSetError? {
  do {
    _ = try IDXFile(path: path, expecting: content)
    return nil
  } catch {
    return error
  }
}

private func error(
  reading bytes: [UInt8], as content: IDXFile.Content = .images, gzipped: Bool = false
) throws -> DataSetError? {
  let folder = try TemporaryFolder()
  let path =
    gzipped ? try folder.writeGzipped(bytes, to: "file") : try folder.write(bytes, to: "file")
  let found = error(reading: path, as: content)
  if let found { #expect(found.path == path) }
  return found
}

@Suite struct IDXFileTests {
  let set = MadeUpSet()

  @Test(arguments: [false, true])
  func readsImagesBack(gzipped: Bool) throws {
    let folder = try TemporaryFolder()
    let path =
      gzipped
      ? try folder.writeGzipped(set.imagesFile, to: "a") : try folder.write(set.imagesFile, to: "a")
    let file = try IDXFile(path: path, expecting: .images)
    let dimensions = file.dimensions
    #expect(dimensions == [4, 3, 5])
    let pixels = file.withUnsafeBytes { Array($0) }
    #expect(pixels == set.pixels)
  }

  @Test(arguments: [false, true])
  func readsLabelsBack(gzipped: Bool) throws {
    let folder = try TemporaryFolder()
    let path =
      gzipped
      ? try folder.writeGzipped(set.labelsFile, to: "a") : try folder.write(set.labelsFile, to: "a")
    let file = try IDXFile(path: path, expecting: .labels)
    let dimensions = file.dimensions
    #expect(dimensions == [4])
    let labels = file.withUnsafeBytes { Array($0) }
    #expect(labels == [0, 1, 2, 0])
  }

  @Test func readsContentOfManyChunks() throws {
    let large = MadeUpSet(count: 700, height: 50, width: 61)
    let folder = try TemporaryFolder()
    let path = try folder.writeGzipped(large.imagesFile, to: "a")
    let file = try IDXFile(path: path, expecting: .images)
    let isSame = file.withUnsafeBytes { $0.elementsEqual(large.pixels) }
    #expect(isSame)
  }

  @Test func digestIsOfTheUncompressedFile() throws {
    let folder = try TemporaryFolder()
    // printf '\0\0\10\1\0\0\0\3\1\2\3' | sha256sum
    let bytes = bigEndian([0x0801, 3]) + [1, 2, 3]
    let plain = try IDXFile(path: try folder.write(bytes, to: "a"), expecting: .labels)
    let gzipped = try IDXFile(path: try folder.writeGzipped(bytes, to: "b"), expecting: .labels)
    let (first, second) = (plain.digest, gzipped.digest)
    #expect(first.hex == "398a8a7fbd9531f1d9aa2ae368533e137cb53c202c3665f25affcf1ca88844ab")
    #expect(first == second)
  }

  @Test(arguments: [0, 0x0802, 0x0D03, 0x0308_0000, 0x1f8b_0800])
  func wrongMagicIsBroken(magic: Int) throws {
    let found = try error(reading: bigEndian([magic, 4, 3, 5]) + set.pixels)
    #expect(found?.kind == .broken)
    #expect(found?.message.contains("at byte 0") == true)
  }

  @Test func wrongMagicSaysExpectedAndFound() throws {
    let found = try error(reading: bigEndian([0x0D03, 4, 3, 5]) + set.pixels)
    #expect(found?.message.contains("0x00000803 of images") == true)
    #expect(found?.message.contains("0x00000d03") == true)
  }

  @Test func labelsInPlaceOfImagesAreNamed() throws {
    let found = try error(reading: set.labelsFile, as: .images)
    #expect(found?.kind == .broken)
    #expect(found?.message.contains("found magic number 0x00000801 of labels") == true)
  }

  @Test func imagesInPlaceOfLabelsAreNamed() throws {
    let found = try error(reading: set.imagesFile, as: .labels)
    #expect(found?.message.contains("found magic number 0x00000803 of images") == true)
  }

  @Test(arguments: 1..<16, [false, true])
  func truncatedHeaderIsBroken(length: Int, gzipped: Bool) throws {
    let found = try error(reading: Array(set.imagesFile.prefix(length)), gzipped: gzipped)
    #expect(found?.kind == .broken)
    #expect(found?.message.contains("at byte \(length): expected 16 bytes of header") == true)
  }

  @Test(arguments: 16..<76, [false, true])
  func truncatedContentIsBroken(length: Int, gzipped: Bool) throws {
    let found = try error(reading: Array(set.imagesFile.prefix(length)), gzipped: gzipped)
    #expect(found?.kind == .broken)
    #expect(found?.message.contains("at byte \(length): expected 60 bytes") == true)
  }

  @Test func truncatedLabelsAreBroken() throws {
    let found = try error(reading: set.labelsFile.dropLast(), as: .labels)
    #expect(found?.message.contains("at byte 11: expected 4 bytes for 4 labels") == true)
  }

  @Test(arguments: [false, true])
  func trailingBytesAreBroken(gzipped: Bool) throws {
    let found = try error(reading: set.imagesFile + [0], gzipped: gzipped)
    #expect(found?.kind == .broken)
    #expect(found?.message.contains("at byte 76: expected the end") == true)
  }

  @Test func secondGzipMemberIsTrailingContent() throws {
    let folder = try TemporaryFolder()
    let member = try folder.gzipped(set.imagesFile)
    let path = try folder.write(member + member, to: "a")
    #expect(error(reading: path)?.message.contains("at byte 76") == true)
  }

  @Test(arguments: 0..<3)
  func zeroSizeIsBroken(dimension: Int) throws {
    var sizes = [4, 3, 5]
    sizes[dimension] = 0
    let found = try error(reading: bigEndian([0x0803] + sizes))
    #expect(found?.kind == .broken)
    #expect(found?.message.contains("at byte \(4 + 4 * dimension)") == true)
  }

  @Test func zeroLabelsAreBroken() throws {
    let found = try error(reading: bigEndian([0x0801, 0]), as: .labels)
    #expect(found?.message.contains("at byte 4") == true)
  }

  @Test func sizesThatOverflowAreBroken() throws {
    let most = Int(UInt32.max)
    let found = try error(reading: bigEndian([0x0803, Int(Int32.max), most, most]) + set.pixels)
    #expect(found?.kind == .broken)
    #expect(found?.message.contains("product") == true)
  }

  @Test(.timeLimit(.minutes(15)), arguments: [false, true])
  func hugeSizesEndSoonWithLittleMemory(gzipped: Bool) throws {
    func peakKilobytes() throws -> Int {
      let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
      let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmPeak:") })
      return try #require(Int(line.filter(\.isNumber)))
    }
    let before = try peakKilobytes()
    // 8 GiB, which malloc would promise.
    let found = try error(
      reading: bigEndian([0x0803, 1 << 13, 1 << 10, 1 << 10]) + set.pixels, gzipped: gzipped)
    #expect(found?.kind == .broken)
    #expect(found?.message.contains("at byte 76") == true)
    #expect(try peakKilobytes() - before < 4 << 20)
  }

  @Test func truncatedGzipIsBroken() throws {
    let folder = try TemporaryFolder()
    let whole = try folder.gzipped(set.imagesFile)
    for length in whole.indices {
      let path = try folder.write(Array(whole.prefix(length)), to: "cut")
      #expect(error(reading: path)?.kind == .broken, "cut to \(length) bytes")
    }
  }

  @Test func gzipWithoutItsChecksumIsBroken() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(try folder.gzipped(set.imagesFile).dropLast(8), to: "cut")
    #expect(error(reading: path)?.message.contains("rest of the gzip stream") == true)
  }

  @Test func flippedBitNeverGivesOtherContent() throws {
    let folder = try TemporaryFolder()
    let whole = try folder.gzipped(set.imagesFile)
    var errorCount = 0
    for bit in 0..<whole.count * 8 {
      var damaged = whole
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let path = try folder.write(damaged, to: "damaged")
      do {
        // Bits such as those of the time in gzip's header change nothing.
        let file = try IDXFile(path: path, expecting: .images)
        let pixels = file.withUnsafeBytes { Array($0) }
        #expect(pixels == set.pixels, "bit \(bit)")
      } catch {
        #expect(error.kind == .broken, "bit \(bit)")
        errorCount += 1
      }
    }
    #expect(errorCount > whole.count * 8 / 2)
  }

  @Test(arguments: [8, 5, 1])
  func flippedBitAtTheEndOfGzipIsNamed(byteFromEnd: Int) throws {
    let folder = try TemporaryFolder()
    var damaged = try folder.gzipped(set.imagesFile)
    damaged[damaged.count - byteFromEnd] ^= 1
    let path = try folder.write(damaged, to: "damaged")
    #expect(error(reading: path)?.message.contains("found a damaged one") == true)
  }

  @Test func flippedBitInALargeStreamIsBroken() throws {
    let folder = try TemporaryFolder()
    let large = MadeUpSet(count: 700, height: 50, width: 61)
    var damaged = try folder.gzipped(large.imagesFile)
    damaged[damaged.count / 2] ^= 4
    #expect(error(reading: try folder.write(damaged, to: "a"))?.kind == .broken)
  }

  @Test func absentFileIsMissing() throws {
    let folder = try TemporaryFolder()
    let found = error(reading: folder.path + "/none")
    #expect(found?.kind == .missing)
    #expect(found?.message.contains("no such file") == true)
  }

  @Test func folderInPlaceOfFileIsMissing() throws {
    let folder = try TemporaryFolder()
    #expect(error(reading: folder.path)?.kind == .missing)
  }

  @Test(.timeLimit(.minutes(15)))
  func pipeInPlaceOfFileIsMissing() throws {
    let folder = try TemporaryFolder()
    let path = try folder.entry("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    #expect(error(reading: path)?.kind == .missing)
  }

  @Test(.enabled(if: geteuid() != 0, "root may read every file"))
  func unreadableFileIsMissing() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(set.imagesFile, to: "a")
    #expect(chmod(path, 0) == 0)
    let found = error(reading: path)
    #expect(found?.kind == .missing)
    #expect(found?.message.contains("Permission denied") == true)
  }

  /// What stands in place of the data is called by its name, with what to do about it.
  @Test(
    arguments: [
      ("<!DOCTYPE html><html><title>Log in</title>", "an HTML page"), ("", "an empty file"),
      ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9\n", "git lfs pull"),
      ("PK\u{3}\u{4}and much more of the archive", "a zip archive"),
      ("404: Not Found", "the error message of a server"),
      (String(repeating: "a", count: 257) + "ustar  ", "a tar archive"),
      (String(repeating: "\0", count: 1000), "nothing but zeros"),
    ], [IDXFile.Content.images, .labels])
  func anotherFileIsCalledWhatItIs(
    file: (text: String, words: String), content: IDXFile.Content
  ) throws {
    for gzipped in [false, true] {
      let found = try error(reading: Array(file.text.utf8), as: content, gzipped: gzipped)
      #expect(found?.kind == .broken)
      #expect(found?.message.contains(file.words) == true, "\(found?.message ?? "")")
      #expect(found?.message.contains("at byte 0: expected an IDX file of \(content)") == true)
      #expect(found?.message.contains("./launch/fetch-data") == true)
    }
  }

  @Test func imagesInPlaceOfLabelsAreStillNamed() throws {
    let found = try error(reading: set.imagesFile, as: .labels)
    #expect(found?.message.contains("found magic number 0x00000803 of images") == true)
  }

  @Test func aPathCannotActOnTheTerminal() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write([1], to: "a\u{1B}[2J\nb")
    let found = error(reading: path)
    #expect(found?.description.contains("a\\u{1b}[2J\\nb: ") == true)
    #expect(found?.path == path)
  }
}

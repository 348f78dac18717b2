import Foundation
import Testing

@testable import Pictures

@Suite struct PictureFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func onlyThePictureIsThereAfterSuccess() throws {
    try TrainingCurves().write(to: folder.file("curves.png"))
    try SampleGrid(imageHeight: 1, imageWidth: 1).write([0], to: folder.file("grid.png"))
    try InterpolationStrip(imageHeight: 1, imageWidth: 1).write([0], to: folder.file("strip.png"))
    #expect(try folder.names() == ["curves.png", "grid.png", "strip.png"])
  }

  @Test func bytesArriveUnchanged() throws {
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try PictureFile(path: folder.file("a.png")).write(bytes)
    #expect(FileManager.default.contents(atPath: folder.file("a.png")) == Data(bytes))
  }

  @Test func anOlderPictureIsReplaced() throws {
    let path = folder.file("a.png")
    try PictureFile(path: path).write([1, 2, 3, 4])
    try PictureFile(path: path).write([5])
    #expect(FileManager.default.contents(atPath: path) == Data([5]))
  }

  @Test func whatAKilledProcessLeftIsReused() throws {
    let file = PictureFile(path: folder.file("a.png"))
    try Data(repeating: 9, count: 1000).write(to: URL(fileURLWithPath: file.temporaryPath))
    try file.write([5])
    #expect(FileManager.default.contents(atPath: file.path) == Data([5]))
    #expect(try folder.names() == ["a.png"])
  }

  @Test func aMissingFolderIsNamed() throws {
    let path = folder.file("missing/curves.png")
    let error = try #require(throws: PictureError.self) { try TrainingCurves().write(to: path) }
    #expect(error.path == path)
    #expect(error.description.contains(path))
    #expect(error.reason.contains("No such file or directory"))
    #expect(try folder.names().isEmpty)
  }

  @Test func aFileInPlaceOfTheFolderIsAnError() throws {
    try PictureFile(path: folder.file("file")).write([1])
    let error = try #require(throws: PictureError.self) {
      try TrainingCurves().write(to: folder.file("file/curves.png"))
    }
    #expect(error.reason.contains("Not a directory"))
  }

  @Test func aFailedRenameLeavesNoTemporary() throws {
    // A folder in the target's place: only the last step, the rename, can notice.
    let path = folder.file("curves.png")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let error = try #require(throws: PictureError.self) { try TrainingCurves().write(to: path) }
    #expect(error.reason.contains("cannot rename"))
    #expect(try folder.names() == ["curves.png"])
  }

  @Test func aLinkInPlaceOfTheTemporaryIsNotFollowed() throws {
    let file = PictureFile(path: folder.file("a.png"))
    try PictureFile(path: folder.file("precious")).write([1, 2, 3])
    try FileManager.default.createSymbolicLink(
      atPath: file.temporaryPath, withDestinationPath: folder.file("precious"))
    #expect(throws: PictureError.self) { try file.write([9]) }
    #expect(FileManager.default.contents(atPath: folder.file("precious")) == Data([1, 2, 3]))
  }

  @Test func errorsReadAsOneLine() {
    let error = PictureError(path: "out/a.png", reason: "no space")
    #expect("\(error)" == "cannot draw the picture out/a.png: no space")
  }
}

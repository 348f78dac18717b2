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

  @Test func anOlderPictureIsReplaced() throws {
    let path = folder.file("a.png")
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
    try TrainingCurves().write(to: path)
    #expect(
      FileManager.default.contents(atPath: path)?.starts(with: [0x89, 0x50, 0x4e, 0x47]) == true)
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
    try Data([1]).write(to: URL(fileURLWithPath: folder.file("file")))
    let error = try #require(throws: PictureError.self) {
      try TrainingCurves().write(to: folder.file("file/curves.png"))
    }
    #expect(error.reason.contains("Not a directory"))
  }

  @Test func aFolderInItsPlaceStaysAsItIs() throws {
    let path = folder.file("curves.png")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let error = try #require(throws: PictureError.self) { try TrainingCurves().write(to: path) }
    #expect(error.reason.contains("Is a directory"))
    #expect(try folder.names() == ["curves.png"])
  }

  @Test func errorsReadAsOneLine() {
    let error = PictureError(path: "out/a.png", reason: "no space")
    #expect("\(error)" == "cannot draw the picture out/a.png: no space")
  }
}

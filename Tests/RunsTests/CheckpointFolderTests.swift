import Foundation
import TestSupport
import Testing

@testable import Runs

/// Which files are checkpoints, and what becomes of them.
@Suite struct CheckpointFolderTests {
  private let scratch: TemporaryFolder
  private let folder: CheckpointFolder

  init() throws {
    scratch = try TemporaryFolder()
    folder = CheckpointFolder(path: scratch.folder.path)
  }

  private func write(_ names: String...) throws {
    for name in names { try Data(name.utf8).write(to: scratch.url(name)) }
  }

  private var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
  }

  @Test(arguments: [0, 18740, 99_999_999, 123_456_789_012])
  func aNameTellsItsStep(step: Int) {
    #expect(CheckpointFolder.step(ofFileName: CheckpointFolder.fileName(step: step)) == step)
  }

  @Test(arguments: [
    "step_1.safetensors", "step_+0000001.safetensors", "step_-0000001.safetensors",
    "step_00000001.safetensors.part", "step_.safetensors", "Step_00000001.safetensors",
    "step_000000001.safetensors",
  ])
  func otherNamesAreNone(name: String) {
    #expect(CheckpointFolder.step(ofFileName: name) == nil)
  }

  @Test func theNewestComesFirstAndFoldersAreNone() throws {
    try write("step_00000002.safetensors", "step_00000010.safetensors", "notes")
    try FileManager.default.createDirectory(
      at: scratch.url("step_00000005.safetensors"), withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("step_00000007.safetensors"), withDestinationPath: "nowhere")
    let entries = try folder.entries()
    #expect(entries.map(\.step) == [10, 7, 2])
    #expect(entries.map { $0.identity == nil } == [false, true, false])
  }

  @Test func allButTheNewestAreRemoved() throws {
    try write("step_00000001.safetensors", "step_00000002.safetensors", "step_00000003.safetensors")
    #expect(folder.removeOld(keeping: 2) == nil)
    #expect(try names == ["step_00000002.safetensors", "step_00000003.safetensors"])
  }

  @Test func laterOnesAreSetAsideAndComeBack() throws {
    try write("step_00000001.safetensors", "step_00000002.safetensors", "step_00000003.safetensors")
    try write("step_00000003.safetensors.abandoned", "of another folder")
    let before = try names
    let undo = UndoList()
    let files = try folder.setAside(
      after: 2, except: folder.file(step: 2), undo: undo)
    #expect(files == [folder.file(step: 3)])
    #expect(try names.contains("step_00000003.safetensors.abandoned_2"))
    undo.run()
    #expect(try names == before)
    // The file of the same step is of another past, if the run goes on from elsewhere.
    let others = try folder.setAside(
      after: 2, except: scratch.path("of another folder"), undo: undo)
    #expect(others == [folder.file(step: 3), folder.file(step: 2)])
  }
}

import Foundation
import TestSupport
import Testing

@testable import Runs

/// Taking possession of a folder, and giving it back.
@Suite struct RunFolderTests {
  private let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  private func exists(_ name: String) -> Bool { !RunFolder.isAbsent(scratch.path(name)) }

  @Test func whatWasMadeIsTakenBack() throws {
    let undo = UndoList()
    let folder = try RunFolder(path: scratch.path("a/b"), hostName: "here", undo: undo)
    #expect(exists("a/b/run.lock"))
    undo.run()
    #expect(!exists("a"))
    _ = consume folder
  }

  @Test func whatWasThereStays() throws {
    try FileManager.default.createDirectory(
      at: scratch.url("a"), withIntermediateDirectories: false)
    let undo = UndoList()
    _ = try RunFolder(path: scratch.path("a/b"), hostName: "here", undo: undo)
    undo.run()
    #expect(exists("a") && !exists("a/b"))
  }

  @Test func aFolderInUseIsNoOthers() throws {
    let folder = try RunFolder(path: scratch.path("run"), hostName: "here", undo: UndoList())
    let error = #expect(throws: RunFolderError.self) {
      try RunLock.demandFree(path: folder.file("run.lock"), folder: folder.path)
    }
    #expect(error?.reason == "another gan-dist (process \(getpid()) on here) is writing to it")
    #expect(error?.path == folder.path)
  }

  @Test func lookingWhetherItCanBeWrittenMakesNothing() throws {
    try RunFolder.demandWritable(scratch.path("a/b"))
    #expect(!exists("a"))
    try Data().write(to: scratch.url("file"))
    #expect(throws: RunFolderError.self) { try RunFolder.demandWritable(scratch.path("file/b")) }
  }

  @Test func aLinkToNothingIsThere() throws {
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("link"), withDestinationPath: "nowhere")
    #expect(exists("link") && !exists("nowhere"))
    #expect(UnusedPath.next(to: scratch.path("link")) == scratch.path("link_2"))
    #expect(UnusedPath.next(to: scratch.path("other")) == scratch.path("other"))
  }

  @Test(arguments: ["config.json", "metrics.csv", "generator.safetensors"])
  func oneFileOfARunIsARun(name: String) throws {
    try Data().write(to: scratch.url("log.txt"))
    #expect(try !RunFolderSurvey(path: scratch.folder.path, .unwritable).holdsRun)
    try Data().write(to: scratch.url(name))
    let survey = try RunFolderSurvey(path: scratch.folder.path, .unwritable)
    #expect(survey.signs == [name])
    #expect(survey.holdsRun && !survey.hasCheckpointFolder)
  }

  @Test func anotherRunIsNotOverwritten() throws {
    let path = scratch.folder.path
    let plan = try RunPlan(out: path, resume: nil)
    try plan.demandUnchanged()
    try Data().write(to: scratch.url("metrics.csv"))
    #expect(throws: RunFolderError.self) { try plan.demandUnchanged() }
    let error = #expect(throws: RunFolderError.self) { try RunPlan(out: path, resume: nil) }
    #expect(error?.kind == .unwritable)
    let missing = #expect(throws: RunFolderError.self) { try RunPlan(out: path, resume: .latest) }
    #expect(missing?.kind == .unreadable)
  }
}

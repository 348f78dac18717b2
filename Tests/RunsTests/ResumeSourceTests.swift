import Foundation
import TestSupport
import Testing

@testable import Runs

/// What a path after `--resume` means.
@Suite struct ResumeSourceTests {
  private let scratch: TemporaryFolder

  init() throws {
    scratch = try TemporaryFolder()
    for folder in ["run/checkpoints", "loose"] {
      try FileManager.default.createDirectory(
        at: scratch.url(folder), withIntermediateDirectories: true)
    }
    for file in ["run/checkpoints/step_00000001.safetensors", "loose/step_00000001.safetensors"] {
      try Data().write(to: scratch.url(file))
    }
  }

  @Test func anEmptyWordIsNone() {
    #expect(ResumeSource(argument: "") == nil)
    #expect(ResumeSource(argument: "latest") == .latest)
    #expect(ResumeSource(argument: "./latest") == .path("./latest"))
  }

  @Test(arguments: ["run", "run/checkpoints", "run/checkpoints/step_00000001.safetensors"])
  func allPathsIntoARunAreOfIt(path: String) throws {
    let source = ResumeSource.path(scratch.path(path))
    let run = try #require(source.runFolder)
    #expect(FileIdentity.isSame(run, scratch.path("run")))
    guard let folder = source.checkpointFolder(out: nil) else {
      return #expect(path.hasSuffix(".safetensors"))
    }
    #expect(FileIdentity.isSame(folder.path, scratch.path("run/checkpoints")))
  }

  @Test func checkpointsWithoutARunBelongToNone() {
    let source = ResumeSource.path(scratch.path("loose"))
    #expect(source.runFolder == nil)
    #expect(source.checkpointFolder(out: nil)?.path == scratch.path("loose"))
  }

  @Test func theLatestIsThatOfTheOutput() {
    #expect(ResumeSource.latest.checkpointFolder(out: "a/")?.path == "a/checkpoints")
    #expect(ResumeSource.latest.checkpointFolder(out: nil) == nil)
    #expect(ResumeSource.latest.runFolder == nil)
  }
}

import Foundation
import TestSupport
import Testing

/// inspect, compare and generate.
@Suite(.serialized) struct FileCommandTests {
  private let program = BuiltProgram.path("gan-dist")
  private let scratch: TemporaryFolder
  private let checkpoint: String

  init() throws {
    scratch = try TemporaryFolder()
    let job = try Command.run([
      program, "--quiet", "--max-steps", "2", "--batch-size", "64", "--checkpoint-every-steps", "1",
      "--out", scratch.path("run"),
    ])
    try #require(job.status == 0, "\(job.transcript)")
    checkpoint = scratch.path("run/checkpoints/step_00000002.safetensors")
  }

  private func run(_ arguments: String...) throws -> Command {
    try Command.run([program] + arguments)
  }

  @Test func inspectShowsWhatIsInAFile() throws {
    let inspection = try run("inspect", checkpoint)
    #expect(inspection.status == 0)
    for part in [
      "step: 2", "generator.0.weight", "F32 [128, 64]", "generator.1.num_batches_tracked", "I64 []",
      "optimizer_d.exp_avg_sq.6.bias", "content_sha256", "\"seed\":0",
    ] { #expect(inspection.output.contains(part), "\(part)") }
  }

  @Test func theDigestIsOfTheStateAlone() throws {
    let first = try run("inspect", "--digest", checkpoint).output
    let again = try run("inspect", "--digest", checkpoint).output
    let before = try run(
      "inspect", "--digest", scratch.path("run/checkpoints/step_00000001.safetensors")
    ).output
    #expect(first == again && first != before)
    #expect(first.count == 65)
    // A generator's file is no training state.
    let generator = try run("inspect", "--digest", scratch.path("run/generator.safetensors"))
    #expect(generator.status == 65)
  }

  @Test func compareTellsHowFarFilesAreApart() throws {
    let same = try run("compare", checkpoint, checkpoint)
    #expect(same.status == 0 && same.output.hasSuffix("the same, bit for bit\n"))
    let other = try run(
      "compare", checkpoint, scratch.path("run/checkpoints/step_00000001.safetensors"))
    #expect(other.status == 1)
    #expect(other.output.contains("differ, by up to "))
    #expect(other.output.contains(" ULP"))
    let parts = try run("compare", checkpoint, scratch.path("run/generator.safetensors"))
    #expect(parts.status == 1 && parts.output.contains("only in "))
  }

  @Test func generateMakesTheSameImagesFromBothFiles() throws {
    let generator = scratch.path("run/generator.safetensors")
    for (name, file) in [("a.npy", checkpoint), ("b.npy", generator)] {
      let job = try run(
        "generate", "--checkpoint", file, "--count", "5", "--seed", "3", "--out", scratch.path(name)
      )
      #expect(job.status == 0, "\(job.transcript)")
    }
    let bytes = try Data(contentsOf: scratch.url("a.npy"))
    #expect(bytes == (try Data(contentsOf: scratch.url("b.npy"))))
    #expect(bytes.count == 128 + 4 * 5 * 784)
    let grid = try run("generate", "--checkpoint", generator, "--out", scratch.path("grid.png"))
    #expect(grid.status == 0)
    #expect(
      try Data(contentsOf: scratch.url("grid.png")).prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
  }

  @Test func noiseMayBeGiven() throws {
    let generator = scratch.path("run/generator.safetensors")
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 64), }"
    let padded = header + String(repeating: " ", count: 117 - header.count) + "\n"
    var file = Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0, 118, 0]) + Data(padded.utf8)
    file += Data(count: 2 * 64 * 4)
    try file.write(to: scratch.url("noise.npy"))
    let job = try run(
      "generate", "--checkpoint", generator, "--noise", scratch.path("noise.npy"), "--out",
      scratch.path("images.npy"))
    #expect(job.status == 0, "\(job.transcript)")
    let images = try Data(contentsOf: scratch.url("images.npy")).dropFirst(128)
    // The same noise twice gives the same image twice.
    #expect(images.prefix(784 * 4) == images.suffix(784 * 4))
  }

  @Test func whatIsWrongIsSaid() throws {
    let wrongName = try run("generate", "--checkpoint", checkpoint, "--out", "images.jpg")
    #expect(wrongName.status == 64 && wrongName.errors.contains("must end in .png or .npy"))
    let missing = try run("generate", "--checkpoint", "nowhere", "--out", scratch.path("x.png"))
    #expect(missing.status == 66 && missing.errors.contains("nowhere"))
    try Data("nonsense".utf8).write(to: scratch.url("broken"))
    for arguments in [["inspect"], ["compare", checkpoint]] {
      let broken = try Command.run([program] + arguments + [scratch.path("broken")])
      #expect(broken.status == 65 && broken.errors.contains("broken"), "\(broken.transcript)")
    }
    let unwritable = try run(
      "generate", "--checkpoint", checkpoint, "--out", scratch.path("no/folder.npy"))
    #expect(unwritable.status == 73, "\(unwritable.transcript)")
  }
}

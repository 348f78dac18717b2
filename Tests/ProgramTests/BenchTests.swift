import Foundation
import TestSupport
import Testing

/// `gan-dist bench`, and what a step must not do.
@Suite(.serialized) struct BenchTests {
  private func json(ranks: Int, _ options: String...) throws -> [String: Any] {
    let job = try Command.mpirun(
      ranks: ranks, BuiltProgram.path("gan-dist"),
      ["bench", "--steps", "20", "--warm-up", "5", "--threads", "1", "--json"] + options)
    #expect(job.status == 0, "\(job.transcript)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(job.output.utf8)) as? [String: Any],
      "\(job.transcript)")
  }

  @Test(arguments: [1, 3])
  func theFiguresAddUp(ranks: Int) throws {
    let figures = try json(ranks: ranks, "--batch-size", "48")
    func number(_ key: String) throws -> Double { try #require(figures[key] as? Double, "\(key)") }
    #expect(try number("ranks") == Double(ranks))
    #expect(try number("batch_size") == 48)
    #expect(try number("steps") == 20)
    let milliseconds = try number("milliseconds_per_step")
    #expect(milliseconds > 0)
    #expect(abs(try number("images_per_second") * milliseconds / 48_000 - 1) < 1e-9)
    // 735.4 MFLOP at 64 images: the shapes' own sum, counted by hand.
    #expect(abs(try number("gigaflops_per_second") * milliseconds / (735.44 * 48 / 64) - 1) < 1e-3)
    #expect((0.001..<1).contains(try number("share_of_peak")))
    let shares = try #require(figures["shares"] as? [String: Double])
    #expect(abs(shares.values.reduce(0, +) - 1) < 1e-9)
    #expect(shares.count == 7 && shares.values.allSatisfy { $0 > -0.01 })
    #expect(try #require(shares["products"]) > 0.02)
    let work = try #require(figures["work_milliseconds_per_step"] as? [String: Double])
    let total = try #require(work["total"])
    let parts = work.filter { $0.key != "total" }
    #expect(Set(parts.keys) == ["products", "elementwise", "random_numbers", "adam", "sums"])
    #expect(parts.values.allSatisfy { $0 > 0 })
    #expect(abs(parts.values.reduce(0, +) - total) < 1e-9 * total)
    let communication = try #require(shares["exposed_communication"])
    #expect((communication > 0) == (ranks > 1))
  }

  @Test func optionsOfTrainingRunsAreRefused() throws {
    for option in [["--epochs", "3"], ["--steps", "0"]] {
      let job = try Command.run([BuiltProgram.path("gan-dist"), "bench"] + option)
      #expect(job.status == 64, "\(job.transcript)")
    }
  }

  /// Nothing is allocated in a step. A debug build does not count: it boxes closures.
  @Test(
    .enabled(if: Machine.hasRelease, "needs the release build that GAN_DIST_RELEASE names"),
    arguments: [1, 2, 3])
  func aStepAllocatesNothing(ranks: Int) throws {
    let program = try #require(Machine.releaseFolder).appendingPathComponent("mpi-checks").path
    let job = try Command.mpirun(ranks: ranks, program, ["allocations"])
    #expect(job.status == 0, "\(job.transcript)")
  }
}

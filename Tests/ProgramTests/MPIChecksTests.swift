import Foundation
import TestSupport
import Testing

/// The cases of mpi-checks, each in a job of its own.
@Suite(.serialized) struct MPIChecksTests {
  private let program = BuiltProgram.path("mpi-checks")

  @Test(arguments: ["communicator", "gather", "reduction"], [1, 2, 3, 4])
  func exchanges(name: String, ranks: Int) throws {
    let job = try Command.mpirun(ranks: ranks, program, [name])
    #expect(job.status == 0, "\(job.transcript)")
  }

  @Test(arguments: [0, 2])
  func aRankThatThrowsEndsTheJob(rank: Int) throws {
    let job = try Command.mpirun(ranks: 3, program, ["throw", "\(rank)"], timeLimit: 30)
    #expect(job.status == 70, "\(job.transcript)")
    #expect(job.errors.contains("rank \(rank): thrown on purpose"))
    #expect(job.seconds < 15)
  }

  @Test func anUnknownCaseIsNotASuccess() throws {
    #expect(try Command.run([program, "nonsense"]).status == 64)
  }
}

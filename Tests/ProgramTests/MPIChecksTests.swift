import Foundation
import TestSupport
import Testing

/// The cases of mpi-checks, each in a job of its own.
@Suite(.serialized) struct MPIChecksTests {
  private let program = BuiltProgram.path("mpi-checks")

  @Test(arguments: ["communicator", "all-gather", "rows", "window", "clocks"], [1, 2, 3, 4])
  func exchanges(name: String, ranks: Int) throws {
    let job = try Command.mpirun(ranks: ranks, program, [name])
    #expect(job.status == 0, "\(job.transcript)")
  }

  /// Containers often let no process read another's memory: Open MPI is not to try it, and complain.
  @Test func messagesNeedNoLookIntoOthersMemory() throws {
    let job = try Command.mpirun(
      ranks: 3, BuiltProgram.path("confined"), ["no-other-memory", program, "communicator"])
    #expect(job.status == 0 && job.errors.isEmpty, "\(job.transcript)")
    let complaints = try Command.mpirun(
      ranks: 3, BuiltProgram.path("confined"), ["no-other-memory", program, "communicator"],
      environment: ["OMPI_MCA_btl_vader_single_copy_mechanism": "cma"])
    #expect(complaints.errors.contains("Read -1"), "no longer needed: \(complaints.transcript)")
  }

  @Test(arguments: [0, 2])
  func aRankThatThrowsEndsTheJob(rank: Int) throws {
    let job = try Command.mpirun(ranks: 3, program, ["throw", "\(rank)"], timeLimit: 30)
    #expect(job.status == 70, "\(job.transcript)")
    #expect(job.errors.contains("rank \(rank): thrown on purpose"))
    #expect(job.seconds < 15)
  }

  /// A bit that flips in one rank's memory is named at the next check: rank, tensor, and the last step that agreed.
  @Test(arguments: [0, 2])
  func aFlippedBitIsNamed(rank: Int) throws {
    let scratch = try TemporaryFolder()
    try SmallDataSet.write(to: scratch.url("data"))
    let job = try Command.mpirun(
      ranks: 3, program, ["drift", "\(rank)"],
      environment: ["GAN_DIST_DATA": scratch.path("data")], timeLimit: 60)
    #expect(job.status == 70, "\(job.transcript)")
    #expect(job.errors.contains("rank \(rank) holds other bits"), "\(job.transcript)")
    #expect(job.errors.contains("seen after step 30; after step 20 all agreed"))
  }

  @Test func anUnknownCaseIsNotASuccess() throws {
    #expect(try Command.run([program, "nonsense"]).status == 64)
  }
}

import MPI
import Matrices

/// Whether every rank's processor runs what is to be run.
package struct ProcessorCheck {
  private let problem: ProcessorError?

  /// Tries this rank's processor out. Must come before the process has threads, and before MPI
  /// starts.
  package init() {
    do {
      try Processor.verify()
      problem = nil
    } catch {
      problem = error
    }
  }

  /// What each rank uses. Every rank must call this.
  /// - Parameters:
  ///   - communicator: of all ranks.
  ///   - rankNames: what people call them.
  /// - Throws: ``UnfitProcessorError``, on every rank.
  package func agree(
    over communicator: Communicator, rankNames: [String]
  ) throws -> [InstructionSet] {
    let problems = try communicator.allGather(problem?.description ?? "")
    let isBadUsage = try communicator.allGather(problem?.isBadUsage == true ? 1 : 0)
    if let first = problems.firstIndex(where: { !$0.isEmpty }) {
      let others = problems.count { !$0.isEmpty } - 1
      throw UnfitProcessorError(
        place: problems.count == 1 ? nil : rankNames[first], others: others,
        problem: problems[first], isBadUsage: isBadUsage[first] == 1)
    }
    return try communicator.allGather(Processor.instructionSet.rawValue).map {
      InstructionSet(rawValue: $0)!
    }
  }
}

import MPI
import Matrices
import Runs

/// Whether every rank's processor runs what is to be run.
struct ProcessorCheck {
  private let problem: ProcessorError?

  /// Tries this rank's processor out. Must come before the process has threads, and before MPI
  /// starts.
  init() {
    do {
      try Processor.verify()
      problem = nil
    } catch {
      problem = error
    }
  }

  /// What each rank uses. Every rank must call this.
  /// - Throws: ``UnfitProcessorError``, on every rank.
  func agree(over communicator: Communicator, rankNames: [String]) throws -> [InstructionSet] {
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

/// A rank whose processor does not run what is to be run: known to all ranks.
struct UnfitProcessorError: Error, CustomStringConvertible {
  /// What people call the rank; nil where there is one only.
  let place: String?
  /// How many more ranks have problems.
  let others: Int
  let problem: String
  let isBadUsage: Bool

  var description: String {
    let others = others == 0 ? "" : " (and \(Phrases.count(others, "other rank")))"
    return (place.map { "\($0)\(others): " } ?? "") + problem
  }
}

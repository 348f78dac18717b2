import Matrices

extension Precision {
  /// Those that this processor multiplies by instructions of its own.
  public static let ofThisProcessor = allCases.filter {
    [nil, XSMM.instructionSet].contains($0.neededInstructionSet)
  }
}

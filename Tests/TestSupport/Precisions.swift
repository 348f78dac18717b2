import Matrices

extension Precision {
  /// Those that this processor multiplies by instructions of its own.
  public static let ofThisProcessor = allCases.filter {
    $0.neededInstructionSets?.contains(XSMM.instructionSet) ?? true
  }
}

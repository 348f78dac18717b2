import Matrices

/// The parts of a step, as traces call them.
enum StepPart: String, CaseIterable {
  case loading = "real images"
  case images = "G(z1) and G(z2)"
  case discriminatorPass = "D's pass"
  case masks = "masks of G's pass"
  case discriminatorSum = "D's sum"
  case discriminatorUpdate = "D's update"
  case generatorPass = "G's pass"
  case losses
  case generatorSum = "G's sum"
  case generatorUpdate = "G's update"

  private static let names = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0, Timeline.register($0.rawValue)) })

  /// Does the part, and records when.
  @inline(__always)
  func record<Result>(_ work: () throws -> Result) rethrows -> Result {
    try Timeline.record(.passage, Self.names[self] ?? -1, work)
  }
}

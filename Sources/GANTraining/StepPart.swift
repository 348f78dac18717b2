import Matrices

/// A part of a step, as traces call it.
struct StepPart {
  static let loading = StepPart("real images")
  static let images = StepPart("G(z1) and G(z2)")
  static let discriminatorPass = StepPart("D's pass")
  static let masks = StepPart("masks of G's pass")
  static let discriminatorSum = StepPart("D's sum")
  static let discriminatorUpdate = StepPart("D's update")
  static let generatorPass = StepPart("G's pass")
  static let losses = StepPart("losses")
  static let generatorSum = StepPart("G's sum")
  static let generatorUpdate = StepPart("G's update")

  private let name: Int

  private init(_ title: String) { name = Timeline.register(title) }

  /// Does the part, and records when.
  @inline(__always)
  func record<Result>(_ work: () throws -> Result) rethrows -> Result {
    try Timeline.record(.passage, name, work)
  }
}

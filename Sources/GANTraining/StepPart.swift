import Matrices
import Timelines

/// A part of a step that is no layer's, as traces call it.
struct StepPart {
  static let loading = StepPart("real images")
  static let randomNumbers = StepPart("noise and masks")
  static let losses = StepPart("losses")

  private let name: Int

  private init(_ title: String) { name = Timeline.register(title) }

  /// Plans the part.
  func plan(in list: InstructionList, _ add: () -> Void) { list.named(name, add) }

  /// Does the part, and records when.
  @inline(__always)
  func record<Result>(_ work: () throws -> Result) rethrows -> Result {
    try Timeline.record(.passage, name, work)
  }
}

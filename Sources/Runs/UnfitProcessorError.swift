/// A rank whose processor does not run what is to be run: known to all ranks.
package struct UnfitProcessorError: Error, CustomStringConvertible {
  /// What people call the rank; nil where there is one only.
  let place: String?
  /// How many more ranks have problems.
  let others: Int
  let problem: String
  package let isBadUsage: Bool

  package var description: String {
    let others = others == 0 ? "" : " (and \(Phrases.count(others, "other rank")))"
    return (place.map { "\($0)\(others): " } ?? "") + problem
  }
}

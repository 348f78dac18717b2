/// Why images cannot be judged.
public enum JudgeError: Error, CustomStringConvertible {
  /// The classifier's training came to numbers that are none.
  case notFinite
  /// Too few images to compare.
  case tooFewImages(set: String, count: Int, least: Int)
  /// Images of another size than the data's.
  case imageSize(path: String, found: String, expected: String)
  /// A feature of some images is no number.
  case features(set: String)

  public var description: String {
    switch self {
    case .notFinite:
      "the judge cannot be trained on these data: a gradient was not finite"
    case .tooFewImages(let set, let count, let least):
      """
      \(set): \(count) \(count == 1 ? "image is" : "images are") too few to compare; each image's fifth \
      neighbour is looked for, so that there must be \(least) at least
      """
    case .imageSize(let path, let found, let expected):
      "\(path): makes images of \(found), but those of the data have \(expected)"
    case .features(let set): "\(set): some features are no finite numbers"
    }
  }
}

/// Whether generated images are nearer to training images than test images are (Meehan et al., 2020): the test of Mann
/// and Whitney on distances to the nearest training image.
public struct CopyingTest: Equatable, Sendable {
  /// How often a generated image is farther away than a test image, ties as halves, over all pairs: 0.5 if neither is
  /// nearer, 0 if all generated images are nearer.
  public let shareFarther: Double
  /// The same in standard deviations from what is to be expected if neither is nearer, ties taken into account; below
  /// about -3 says that images are copied. 0 if all distances are the same.
  public let deviations: Double

  /// - Parameters:
  ///   - generated: distances of generated images to their nearest training images, or their squares.
  ///   - test: those of test images.
  public init(generated: [Double], test: [Double]) {
    precondition(!generated.isEmpty && !test.isEmpty)
    let all =
      (generated.map { (distance: $0, isGenerated: true) }
      + test.map { (distance: $0, isGenerated: false) }).sorted { $0.distance < $1.distance }
    let (m, n) = (Double(generated.count), Double(test.count))
    let count = Double(all.count)
    // Ranks from 1; those that tie have their mean.
    var (rankSum, tieTerm) = (0.0, 0.0)
    var begin = 0
    while begin < all.count {
      var end = begin + 1
      while end < all.count, all[end].distance == all[begin].distance { end += 1 }
      let ties = Double(end - begin)
      let rank = Double(begin + 1 + end) / 2
      rankSum += rank * Double(all[begin..<end].count { $0.isGenerated })
      tieTerm += ties * ties * ties - ties
      begin = end
    }
    let u = rankSum - m * (m + 1) / 2
    shareFarther = u / (m * n)
    let variance = m * n / 12 * (count + 1 - tieTerm / (count * (count - 1)))
    deviations = variance > 0 ? (u - m * n / 2) / variance.squareRoot() : 0
  }
}

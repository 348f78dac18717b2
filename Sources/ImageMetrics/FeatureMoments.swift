/// Mean and covariance of the features of a set of images, in float64.
public struct FeatureMoments: Equatable, Sendable {
  /// Numbers of an image.
  public let size: Int
  /// `[size]`.
  public let mean: [Double]
  /// `[size, size]`, with the divisor `count - 1` (NumPy's `cov`).
  public let covariance: [Double]

  /// - Parameter features: of two images at least.
  public init(_ features: FeatureSet) {
    precondition(features.count > 1, "one image has no covariance")
    let (count, size) = (features.count, features.size)
    self.size = size
    (mean, covariance) = features.values.withUnsafeBufferPointer { values in
      var mean = [Double](repeating: 0, count: size)
      for row in 0..<count {
        for index in 0..<size { mean[index] += Double(values[row * size + index]) }
      }
      for index in 0..<size { mean[index] /= Double(count) }
      var covariance = [Double](repeating: 0, count: size * size)
      var centred = [Double](repeating: 0, count: size)
      covariance.withUnsafeMutableBufferPointer { covariance in
        centred.withUnsafeMutableBufferPointer { centred in
          for row in 0..<count {
            for index in 0..<size {
              centred[index] = Double(values[row * size + index]) - mean[index]
            }
            for first in 0..<size {
              let factor = centred[first]
              // The other half is the same.
              for second in first..<size {
                covariance[first * size + second] += factor * centred[second]
              }
            }
          }
          for first in 0..<size {
            for second in first..<size {
              let value = covariance[first * size + second] / Double(count - 1)
              covariance[first * size + second] = value
              covariance[second * size + first] = value
            }
          }
        }
      }
      return (mean, covariance)
    }
  }
}

/// The distance of two normal distributions with the means and covariances of two sets' features (Fréchet; Heusel et
/// al., 2017). With a classifier's features it is a Fréchet classifier distance, not comparable with Inception's FID.
public enum FrechetDistance {
  /// `|μ1 - μ2|² + tr(Σ1) + tr(Σ2) - 2 tr((Σ1^½ Σ2 Σ1^½)^½)`.
  ///
  /// Eigenvalues below 0, which rounding makes of those that are 0, count as 0. So does the distance itself. A singular
  /// covariance, of images that are all alike or of few images, is nothing special.
  /// - Throws: ``EigenvalueError``.
  public static func between(
    _ first: FeatureMoments, _ second: FeatureMoments
  ) throws(EigenvalueError) -> Double {
    precondition(first.size == second.size, "features of two kinds")
    let size = first.size
    var distance = 0.0
    for (a, b) in zip(first.mean, second.mean) { distance += (a - b) * (a - b) }
    for index in 0..<size {
      distance += first.covariance[index * (size + 1)] + second.covariance[index * (size + 1)]
    }
    let root = try squareRoot(first.covariance, size: size)
    let product = multiply(multiply(root, second.covariance, size: size), root, size: size)
    var symmetric = product
    for row in 0..<size {
      for column in 0..<size {
        symmetric[row * size + column] =
          (product[row * size + column] + product[column * size + row]) / 2
      }
    }
    for value in try SymmetricEigen(symmetric, size: size).values {
      distance -= 2 * max(value, 0).squareRoot()
    }
    return max(distance, 0)
  }

  /// The symmetric square root of a positive semidefinite matrix.
  static func squareRoot(_ matrix: [Double], size: Int) throws(EigenvalueError) -> [Double] {
    let eigen = try SymmetricEigen(matrix, size: size)
    var root = [Double](repeating: 0, count: size * size)
    for (index, value) in eigen.values.enumerated() {
      let scale = max(value, 0).squareRoot()
      let vector = eigen.vectors[index * size..<(index + 1) * size]
      for (row, x) in vector.enumerated() {
        for (column, y) in vector.enumerated() { root[row * size + column] += scale * x * y }
      }
    }
    return root
  }

  /// The product of two square matrices, each number a chain from the first term to the last.
  private static func multiply(_ left: [Double], _ right: [Double], size: Int) -> [Double] {
    var product = [Double](repeating: 0, count: size * size)
    product.withUnsafeMutableBufferPointer { product in
      for row in 0..<size {
        for inner in 0..<size {
          let factor = left[row * size + inner]
          for column in 0..<size {
            product[row * size + column] += factor * right[inner * size + column]
          }
        }
      }
    }
    return product
  }
}

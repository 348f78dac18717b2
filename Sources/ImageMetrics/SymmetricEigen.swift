import CLAPACK

/// LAPACK found no eigenvalues: the matrix has numbers that are not finite, or its algorithm did not converge.
public struct EigenvalueError: Error, CustomStringConvertible {
  /// What LAPACK's `dsyev` returned.
  let information: Int

  public var description: String {
    """
    no eigenvalues were found of a covariance of features (LAPACK's dsyev: \(information)); are all \
    features finite numbers?
    """
  }
}

/// Eigenvalues and eigenvectors of a real symmetric matrix, by LAPACK's `dsyev`.
struct SymmetricEigen {
  /// In ascending order, `[size]`.
  let values: [Double]
  /// A row each, in the same order: `[size, size]`.
  let vectors: [Double]

  /// - Parameter matrix: `[size, size]`, of which one triangle is read.
  /// - Throws: ``EigenvalueError``.
  init(_ matrix: [Double], size: Int) throws(EigenvalueError) {
    precondition(matrix.count == size * size)
    // LAPACK would not end, or end the process, with numbers that are none.
    guard matrix.allSatisfy(\.isFinite) else { throw EigenvalueError(information: -4) }
    var order = Int32(size)
    var (vectors, values) = (matrix, [Double](repeating: 0, count: size))
    var (workSize, information) = (Int32(max(1, 34 * size)), Int32(0))
    var work = [Double](repeating: 0, count: Int(workSize))
    // A column of Fortran's is a row of ours.
    dsyev_("V", "U", &order, &vectors, &order, &values, &work, &workSize, &information, 1, 1)
    guard information == 0 else { throw EigenvalueError(information: Int(information)) }
    (self.values, self.vectors) = (values, vectors)
  }
}

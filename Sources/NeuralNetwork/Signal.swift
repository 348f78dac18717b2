import Matrices

/// What flows forward between two layers, and the gradient of the loss that flows back over the same place.
public struct Signal {
  /// `[rows, features]`.
  public let value: Matrix
  /// dLoss/dvalue of the last rows, `[up to rows, features]`; nil where nothing flows back.
  public let gradient: Matrix?

  public init(value: Matrix, gradient: Matrix?) {
    precondition(
      gradient == nil || (gradient!.rows <= value.rows && gradient!.columns == value.columns))
    self.value = value
    self.gradient = gradient
  }

  /// A signal of zeros in the workspace.
  /// - Parameter differentiableRows: how many of the last rows have a gradient; nil for a signal without one.
  /// - Throws: `MemoryError`.
  public init(rows: Int, features: Int, differentiableRows: Int?, in workspace: Workspace) throws {
    self.init(
      value: try workspace.matrix(rows: rows, columns: features),
      gradient: try differentiableRows.map { try workspace.matrix(rows: $0, columns: features) })
  }

  /// The rows of ``value`` that ``gradient`` belongs to.
  public var differentiableValue: Matrix {
    value.rows(value.rows - (gradient?.rows ?? 0)..<value.rows)
  }
}

import Matrices

/// What flows forward between two layers, and the gradient of the loss that flows back over the same place.
public struct Signal {
  /// `[rows, features]`.
  public let value: Matrix
  /// dLoss/dvalue, `[rows, features]`; nil where nothing flows back.
  public let gradient: Matrix?

  public init(value: Matrix, gradient: Matrix?) {
    precondition(
      gradient == nil || (gradient!.rows == value.rows && gradient!.columns == value.columns))
    self.value = value
    self.gradient = gradient
  }

  /// A signal of zeros in the workspace.
  public init(rows: Int, features: Int, differentiable: Bool, in workspace: Workspace) {
    self.init(
      value: workspace.matrix(rows: rows, columns: features),
      gradient: differentiable ? workspace.matrix(rows: rows, columns: features) : nil)
  }
}

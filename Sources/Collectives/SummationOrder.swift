/// The terms of a sum over rows, and the order in which they are added: leaves, or nodes of several leaves.
///
/// A weight gradient is a sum over leaves: each leaf one chain of multiply-adds over its rows, pass after pass.
public struct SummationOrder: Equatable, Sendable {
  /// Rows of each term within a pass.
  public let terms: [Range<Int>]
  /// How many additions follow after each term, if each is put on a stack and the two topmost sums are added.
  public let additions: [Int]
  /// Rows of a pass.
  public let rowsOfPass: Int

  /// The leaves of a whole pass.
  /// - Parameter rows: of the pass.
  public init(rows: Int, leafSize: Int = BatchPlacement.leafSize) {
    let leafCount = (rows + leafSize - 1) / leafSize
    self.init(rows: rows, leafSize: leafSize, terms: (0..<leafCount).map { $0..<$0 + 1 })
  }

  /// - Parameters:
  ///   - rows: of the pass.
  ///   - terms: nodes of the tree that are together one node, in order.
  public init(rows: Int, leafSize: Int = BatchPlacement.leafSize, terms: [Range<Int>]) {
    rowsOfPass = rows
    self.terms = terms.map {
      $0.lowerBound * leafSize..<min($0.upperBound * leafSize, rows)
    }
    additions = SummationTree.additions(terms)
  }

  /// Some rows of a pass by themselves, as if they were all.
  /// - Parameter rows: a range of the pass's rows.
  public init(ofRows rows: Range<Int>, rowsOfPass: Int) {
    let alone = SummationOrder(rows: rows.count)
    self.rowsOfPass = rowsOfPass
    terms = alone.terms.map { $0.lowerBound + rows.lowerBound..<$0.upperBound + rows.lowerBound }
    additions = alone.additions
  }

  /// Places that the stack needs.
  public var depth: Int {
    var (height, depth) = (0, 0)
    for additions in additions {
      height += 1
      depth = max(depth, height)
      height -= additions
    }
    return depth
  }
}

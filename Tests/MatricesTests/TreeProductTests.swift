import TestSupport
import Testing

@testable import Matrices

/// Weight gradients have the same bits however the logical shards are dealt out to ranks and threads.
@Suite struct TreeProductTests {
  private let workspace = Workspace()

  private func product(
    _ left: ProductInput, _ right: ProductInput, _ blocks: [Range<Int>], node: Range<Int>,
    _ tree: SummationTree
  ) throws -> Matrix {
    let result = workspace.matrix(rows: left.matrix.columns, columns: right.matrix.columns)
    try TreeProduct(
      left, times: right, blocks: Array(blocks[node]), order: tree.order(ofLeavesOf: node),
      into: result
    ).run()
    return result
  }

  @Test(
    arguments: [(64, 16), (96, 16), (100, 16), (48, 32)],
    [(128, 64), (1, 256), (256, 512), (330, 507), (30, 7)])
  func partsAddUpToTheWhole(rows: (batch: Int, shard: Int), size: (out: Int, in: Int)) throws {
    for precision in Precision.ofThisProcessor {
      try partsAddUpToTheWhole(rows, size, precision)
    }
  }

  private func partsAddUpToTheWhole(
    _ rows: (batch: Int, shard: Int), _ size: (out: Int, in: Int), _ precision: Precision
  ) throws {
    func input(columns: Int, stream: UInt32) -> ProductInput {
      let matrix = workspace.normals(rows: rows.batch, columns: columns, stream: stream)
      let input = ProductInput(matrix, precision, in: workspace)
      input.round()
      return input
    }
    let (left, right) = (input(columns: size.out, stream: 1), input(columns: size.in, stream: 2))
    let blocks = stride(from: 0, to: rows.batch, by: rows.shard).map {
      $0..<min($0 + rows.shard, rows.batch)
    }
    let tree = SummationTree(leafCount: blocks.count)
    let whole = try product(left, right, blocks, node: 0..<blocks.count, tree)
    // The sum is right …
    for row in stride(from: 0, to: size.out, by: 17) {
      for column in stride(from: 0, to: size.in, by: 13) {
        let exact = (0..<rows.batch).reduce(0.0) {
          $0 + left.number($1, row) * right.number($1, column)
        }
        #expect(abs(Double(whole[row, column]) - exact) <= 1e-4)
      }
    }
    // … and has the same bits for any number of ranks.
    for ranks in 2...5 {
      let nodes = (0..<ranks).flatMap {
        tree.nodes(of: $0 * blocks.count / ranks..<($0 + 1) * blocks.count / ranks)
      }
      let parts = try nodes.map { try product(left, right, blocks, node: $0, tree) }
      let walk = TreeWalk(tree.order(of: nodes))
      VectorMath.sum(
        parts.map { UnsafePointer($0.elements) }, order: walk, count: whole.count,
        into: parts[0].elements)
      withExtendedLifetime(walk) {
        #expect(
          parts[0].buffer.map(\.bitPattern) == whole.buffer.map(\.bitPattern),
          "\(ranks) ranks, \(precision)")
      }
    }
  }

  /// A rank's threads share the work only if panels have the bits of the whole. For the notebook's layers they do.
  @Test(arguments: Precision.ofThisProcessor)
  func panelsAreTaken(precision: Precision) throws {
    let (left, right) = (
      ProductInput(workspace.matrix(rows: 128, columns: 512), precision, in: workspace),
      ProductInput(workspace.matrix(rows: 128, columns: 784), precision, in: workspace)
    )
    let product = try TreeProduct(
      left, times: right, blocks: stride(from: 0, to: 128, by: 32).map { $0..<$0 + 32 },
      order: SummationTree(leafCount: 4).order(ofLeavesOf: 0..<4),
      into: workspace.matrix(rows: 512, columns: 784))
    #expect(try #require(product.way) < 2)
  }

  @Test func noBlocksGiveZero() throws {
    let result = workspace.normals(rows: 3, columns: 4, stream: 1)
    try TreeProduct(
      ProductInput(workspace.matrix(rows: 0, columns: 3)),
      times: ProductInput(workspace.matrix(rows: 0, columns: 4)),
      blocks: [], order: SummationOrder(additions: []), into: result
    ).run()
    #expect(result.buffer.allSatisfy { $0 == 0 })
  }
}

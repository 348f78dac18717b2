import TestSupport
import Testing

@testable import Matrices

/// Weight gradients have the same bits however the logical shards are dealt out to ranks and threads.
@Suite struct TreeProductTests {
  private let workspace = Workspace()

  private func product(
    _ left: Matrix, _ right: Matrix, _ precision: Precision, _ blocks: [Range<Int>],
    node: Range<Int>, _ tree: SummationTree
  ) throws -> Matrix {
    let result = try workspace.matrix(rows: left.columns, columns: right.columns)
    try TreeProduct(
      left, times: right, precision, blocks: Array(blocks[node]),
      order: tree.order(ofLeavesOf: node),
      into: result
    ).run()
    return result
  }

  @Test(
    arguments: [(64, 16), (96, 16), (100, 16), (48, 32), (21, 7)],
    [(128, 64), (1, 256), (256, 512), (330, 507), (30, 7)])
  func partsAddUpToTheWhole(rows: (batch: Int, shard: Int), size: (out: Int, in: Int)) throws {
    try partsAddUpToTheWhole(rows, size, .float32)
  }

  @Test(
    .enabled(if: Machine.multipliesBFloat16, "needs AVX-512 BF16"),
    arguments: [(64, 16), (96, 16), (100, 16), (48, 32), (21, 7)],
    [(128, 64), (1, 256), (256, 512), (330, 507), (30, 7)])
  func partsOfBFloat16AddUpToTheWhole(
    rows: (batch: Int, shard: Int), size: (out: Int, in: Int)
  ) throws {
    try partsAddUpToTheWhole(rows, size, .bfloat16)
  }

  private func partsAddUpToTheWhole(
    _ rows: (batch: Int, shard: Int), _ size: (out: Int, in: Int), _ precision: Precision
  ) throws {
    func input(columns: Int, stream: UInt32) -> Matrix {
      workspace.normals(rows: rows.batch, columns: columns, stream: stream)
    }
    let (left, right) = (input(columns: size.out, stream: 1), input(columns: size.in, stream: 2))
    let blocks = stride(from: 0, to: rows.batch, by: rows.shard).map {
      $0..<min($0 + rows.shard, rows.batch)
    }
    let tree = SummationTree(leafCount: blocks.count)
    let whole = try product(left, right, precision, blocks, node: 0..<blocks.count, tree)
    // The sum is right …
    for row in stride(from: 0, to: size.out, by: 17) {
      for column in stride(from: 0, to: size.in, by: 13) {
        let exact = (0..<rows.batch).reduce(0.0) {
          $0 + precision.rounded(left[$1, row]) * precision.rounded(right[$1, column])
        }
        #expect(abs(Double(whole[row, column]) - exact) <= 1e-4)
      }
    }
    // … and has the same bits for any number of ranks.
    for ranks in 2...5 {
      let nodes = (0..<ranks).flatMap {
        tree.nodes(of: $0 * blocks.count / ranks..<($0 + 1) * blocks.count / ranks)
      }
      let parts = try nodes.map { try product(left, right, precision, blocks, node: $0, tree) }
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

  @Test func noBlocksGiveZero() throws {
    let result = workspace.normals(rows: 3, columns: 4, stream: 1)
    try TreeProduct(
      workspace.matrix(rows: 0, columns: 3), times: workspace.matrix(rows: 0, columns: 4), .float32,
      blocks: [], order: SummationOrder(additions: []), into: result
    ).run()
    #expect(result.buffer.allSatisfy { $0 == 0 })
  }
}

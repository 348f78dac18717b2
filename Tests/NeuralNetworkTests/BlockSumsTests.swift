import Collectives
import Matrices
import TestSupport
import Testing

@testable import NeuralNetwork

/// Sums over the rows of a batch: blocks of eight rows, in the tree.
@Suite struct BlockSumsTests {
  private let workspace = Workspace()

  private func tree(_ leaves: ArraySlice<Double>) -> Double {
    guard leaves.count > 1 else { return leaves.first ?? 0 }
    var left = 1
    while 2 * left < leaves.count { left *= 2 }
    return tree(leaves.prefix(left)) + tree(leaves.dropFirst(left))
  }

  private func blockSums(_ values: [Double], blockSize: Int = 8) -> Double {
    let sums = stride(from: 0, to: values.count, by: blockSize).map {
      values[$0..<min($0 + blockSize, values.count)].reduce(0, +)
    }
    return tree(sums[...])
  }

  @Test(arguments: [1, 5, 8, 9, 40, 64, 100, 136, 321])
  func rowMeansAreBlocksInTheTree(rows: Int) throws {
    let batch = DistributedBatch.solo(rows: rows)
    let means = try RowMeans(count: 3, of: batch)
    let values = workspace.normals(rows: rows, columns: 3, stream: 1)
    for row in 0..<rows {
      for index in 0..<3 { means.ofRow(row)[index] = Double(values[row, index]) / 3 }
    }
    for _ in 0..<2 {
      let list = InstructionList()
      means.addUp(0..<rows, in: list)
      Phase([list]).run()
      means.take()
      for index in 0..<3 {
        let numbers = (0..<rows).map { Double(values[$0, index]) / 3 }
        #expect(means[index] == blockSums(numbers) / Double(rows))
      }
    }
  }

  /// The comparison sees blocks of another size.
  @Test func otherBlocksHaveOtherBits() {
    let values = workspace.normals(rows: 1, columns: 1000, stream: 1)
    let numbers = values.buffer.map { Double($0) / 3 }
    #expect(blockSums(numbers) != blockSums(numbers, blockSize: 16))
    #expect(blockSums(numbers) != blockSums(numbers.reversed()))
  }

  /// Means and variances of columns, merged block by block, are those of all rows at once.
  @Test(arguments: 1...40) func momentsOfBlocksAreThoseOfAllRows(blocks: Int) throws {
    for rows in [8 * blocks, 8 * blocks - 5] {
      let batch = DistributedBatch.solo(rows: rows)
      let sums = try BlockSums(.moments, passes: 2, count: 2, of: batch)
      let x = workspace.normals(rows: rows, columns: 1, stream: 3)
      for pass in 0..<2 {
        for (block, own) in sums.blocks(0..<rows) {
          let values = own.map { Double(x[$0, 0]) + Double(pass) }
          let mean = values.reduce(0, +) / Double(values.count)
          sums.part(block, ofPass: pass)[0] = mean
          sums.part(block, ofPass: pass)[1] = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        }
        let walk = try sums.walk(ofPass: pass, in: workspace)
        walk.run()
        let all = (0..<rows).map { Double(x[$0, 0]) + Double(pass) }
        let mean = all.reduce(0, +) / Double(rows)
        #expect(abs(walk.stack[0] - mean) < 1e-13)
        let m2 = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        #expect(abs(walk.stack[1] - m2) <= 1e-12 * max(m2, 1))
      }
    }
  }
}

import MNISTFamily
import Matrices
import NeuralNetwork
import Randomness

/// The images of each step: a fresh shuffle of the whole data set every epoch, the same on every rank.
final class BatchLoader {
  private let dataSet: ImageDataSet
  private let random: RandomSource
  private let globalBatchSize: Int
  private let order: UnsafeMutableBufferPointer<Int32>
  private let firstRow: UnsafeMutablePointer<Int>
  private let workspace = Workspace()

  /// - Throws: `MemoryError`.
  init(_ dataSet: ImageDataSet, globalBatchSize: Int, random: RandomSource) throws {
    order = try workspace.zeros(
      count: dataSet.imageCount, for: "the order of \(dataSet.imageCount) images")
    firstRow = try workspace.zeros(of: Int.self, count: 1).baseAddress!
    self.dataSet = dataSet
    self.globalBatchSize = globalBatchSize
    self.random = random
  }

  /// Shuffles for an epoch, counted from 0.
  func shuffle(epoch: Int) {
    random.permute(order, stream: RandomStream.shuffle, epoch: epoch)
  }

  /// Which step's images the instructions load from now on, counted from 0 within the epoch.
  func begin(stepInEpoch: Int) { firstRow.pointee = stepInEpoch * globalBatchSize }

  private struct Loading: BitwiseCopyable {
    let pixels: UnsafePointer<UInt8>
    let order: UnsafePointer<Int32>
    let firstRow: UnsafePointer<Int>
    let row: Int
    let images: Matrix
  }

  /// Writes some rows of the global batch into `images[rows, pixels]`, as numbers in [-1, 1].
  func load(_ rows: Range<Int>, into images: Matrix, in list: InstructionList) {
    precondition(rows.count == images.rows && images.columns == dataSet.pixelsPerImage)
    // The set's memory stays where it is.
    guard let pixels = dataSet.withUnsafePixels({ $0.baseAddress }), let order = order.baseAddress
    else { return }
    let loading = Loading(
      pixels: pixels, order: order, firstRow: firstRow, row: rows.lowerBound, images: images)
    list.append(.elementwise, loading) { operands, _ in
      let it = operands.assumingMemoryBound(to: Loading.self).pointee
      let size = it.images.columns
      for row in 0..<it.images.rows {
        let image = Int(it.order[it.firstRow.pointee + it.row + row])
        VectorMath.pixelsToFloats(
          UnsafeBufferPointer(start: it.pixels + image * size, count: size),
          into: it.images.rows(row..<row + 1))
      }
    }
  }
}

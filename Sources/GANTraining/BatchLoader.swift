import FashionMNIST
import Matrices
import NeuralNetwork

/// The images of each step: a fresh shuffle of the whole data set every epoch, the same on every rank.
final class BatchLoader {
  private let dataSet: ImageDataSet
  private let random: RandomSource
  private let globalBatchSize: Int
  private let order: UnsafeMutableBufferPointer<Int32>
  private let workspace = Workspace()

  /// - Throws: `MemoryError`.
  init(_ dataSet: ImageDataSet, globalBatchSize: Int, random: RandomSource) throws {
    order = try workspace.zeros(
      count: dataSet.imageCount, for: "the order of \(dataSet.imageCount) images")
    self.dataSet = dataSet
    self.globalBatchSize = globalBatchSize
    self.random = random
  }

  /// Shuffles for an epoch, counted from 0.
  func shuffle(epoch: Int) {
    random.permute(order, stream: RandomStream.shuffle, epoch: epoch)
  }

  /// Writes some rows of a step's global batch into `images[rows, pixels]`, as numbers in [-1, 1].
  func load(_ globalRows: Range<Int>, step: Int, into images: Matrix) {
    precondition(globalRows.count == images.rows)
    let size = dataSet.pixelsPerImage
    dataSet.withUnsafePixels { pixels in
      for (row, globalRow) in globalRows.enumerated() {
        let image = Int(order[step * globalBatchSize + globalRow])
        VectorMath.pixelsToFloats(
          UnsafeBufferPointer(rebasing: pixels[image * size..<(image + 1) * size]),
          into: images.rows(row..<row + 1))
      }
    }
  }
}

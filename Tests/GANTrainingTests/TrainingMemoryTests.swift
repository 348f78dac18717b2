import Foundation
import Memory
import Testing

@testable import GANTraining

@Suite struct TrainingMemoryTests {
  private func memory(pixels: Int, batch: Int, ranks: Int = 1, onHost: Int = 1) -> TrainingMemory {
    TrainingMemory(
      Architecture(imageSize: pixels), globalBatchSize: batch, rankCount: ranks,
      ranksOnHost: onHost)
  }

  @Test func theNotebooksTrainingNeedsLittle() throws {
    let usual = memory(pixels: 784, batch: 64)
    // 1.1 million weights three times over, and what a batch of 64 makes of 784 pixels.
    #expect((15e6..<20e6).contains(usual.bytesOfHost))
    #expect(
      (usual.sharedByteCount..<2 * usual.sharedByteCount).contains(Int(usual.bytesOfHost * 1.2)))
    try usual.demand()
  }

  @Test func ranksOfAHostShareTheStateAndTheBatch() {
    let (one, four) = (
      memory(pixels: 784, batch: 64), memory(pixels: 784, batch: 64, ranks: 4, onHost: 4)
    )
    #expect(four.bytesOfHost == one.bytesOfHost)
    #expect(four.bytesOfRank < one.bytesOfRank)
  }

  @Test(arguments: [(1 << 40, 64), (Int.max, Int.max), (4, 1 << 50)])
  func whatNoMachineHasIsRefused(pixels: Int, batch: Int) {
    #expect(throws: MemoryError.self) { try memory(pixels: pixels, batch: batch).demand() }
  }
}

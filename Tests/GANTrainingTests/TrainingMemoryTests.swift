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
    // 1.1 million weights four times over, and a few images.
    #expect((16e6..<32e6).contains(usual.bytesOfRank))
    try usual.demand()
  }

  @Test func ranksOfAHostShareTheStateOnly() {
    let (one, four) = (
      memory(pixels: 784, batch: 64), memory(pixels: 784, batch: 64, ranks: 4, onHost: 4)
    )
    #expect(four.bytesOfHost > one.bytesOfHost)
    #expect(four.bytesOfHost < 4 * one.bytesOfHost)
    #expect(four.bytesOfRank < one.bytesOfRank)
  }

  @Test(arguments: [(1 << 40, 64), (Int.max, Int.max), (4, 1 << 50)])
  func whatNoMachineHasIsRefused(pixels: Int, batch: Int) {
    #expect(throws: MemoryError.self) { try memory(pixels: pixels, batch: batch).demand() }
  }
}

import Collectives
import Testing

@testable import NeuralNetwork

/// Whether rows or sums travel between hosts: whatever is quicker there.
struct GradientRouteTests {
  /// D of the notebook.
  private static func sumsTravel(
    batchSize: Int, gigabits: Double, gigaflops: Double = 60
  ) -> Bool {
    GradientRoute.sumsAreQuicker(
      bytesOfRows: Double(batchSize * 18_436), bytesOfGradient: 2_134_020,
      operations: Double(batchSize * 4 * 532_736),
      TravelCosts(bytesPerSecond: gigabits / 8 * 1e9, operationsPerSecond: gigaflops * 1e9))
  }

  @Test func largeBatchesSendSumsAndSmallOnesRows() {
    for gigabits in [0.1, 1, 10, 100] {
      #expect(!Self.sumsTravel(batchSize: 8, gigabits: gigabits))
      #expect(Self.sumsTravel(batchSize: 1024, gigabits: gigabits))
    }
  }

  @Test func quickNetworksSendSumsSooner() {
    func least(_ gigabits: Double) -> Int {
      (1...1024).first { Self.sumsTravel(batchSize: $0, gigabits: gigabits) } ?? 1025
    }
    let sizes = [0.1, 1, 10, 100].map(least)
    #expect(sizes == sizes.sorted(by: >))
    // However slow the network is, more bytes of rows than twice the gradient's are never quicker.
    #expect(least(0.001) <= 2 * 2_134_020 / 18_436 + 1)
  }

  @Test func quickProcessorsSendRowsLonger() {
    #expect(Self.sumsTravel(batchSize: 128, gigabits: 10, gigaflops: 60))
    #expect(!Self.sumsTravel(batchSize: 128, gigabits: 10, gigaflops: 6000))
  }
}

import Testing

@testable import GANTraining

@Suite struct GameBalanceTests {
  @Test func ofTheNotebooksSmoothingItIsKnown() {
    let balance = GameBalance(labelSmoothing: 0.1)
    #expect(balance.idealProbability == 0.45)
    #expect(abs(balance.idealDiscriminatorLoss - 1.3763) < 1e-4)
    #expect(abs(balance.leastDiscriminatorLoss - 0.3251) < 1e-4)
  }

  @Test func withoutSmoothingItIsTwiceTheLogarithmOfTwo() {
    let balance = GameBalance(labelSmoothing: 0)
    #expect(balance.idealProbability == 0.5)
    #expect(abs(balance.idealDiscriminatorLoss - 1.38629436) < 1e-8)
    #expect(balance.leastDiscriminatorLoss == 0)
  }
}

import MPI
import NeuralNetwork

/// An all-gather by messages from each rank to each other.
final class MessageGather: Gather {
  var contribution: UnsafeMutableBufferPointer<Double> { exchange.contribution }
  var contributions: UnsafeMutableBufferPointer<Double> { exchange.contributions }
  private let exchange: GatherExchange<Double>
  private let awaited: AwaitedExchange

  init(_ exchange: GatherExchange<Double>, _ awaited: AwaitedExchange) {
    self.exchange = exchange
    self.awaited = awaited
  }

  func run() throws {
    awaited.enter(.gather)
    try exchange.messages.start()
    try awaited.wait(for: exchange.messages)
    awaited.allHaveEntered(.gather)
  }
}

import FlightRecorder
import MPI
import Matrices

/// An exchange seen by whoever waits for it: tells the watch what this rank does, if there is a watch.
final class AwaitedExchange {
  private let watch: StallWatch?
  private let index: Int
  private let name: Int
  private var started = Operation()
  private var current = Operation()
  /// When this rank entered the exchange, while a timeline is recorded.
  private var begun: Int?

  init(_ watch: StallWatch?, name: String) {
    self.watch = watch
    self.name = Timeline.register(name)
    index = watch?.register(name) ?? 0
  }

  /// This rank enters the exchange.
  func enter(_ kind: FlightRecord.Kind) {
    // A reduction that is finished has been under way since its start.
    if kind != .finish { begun = Timeline.begin() }
    guard let watch else { return }
    current = watch.enter(index, kind)
    if kind == .start { started = current }
  }

  /// Waits until something is over.
  /// - Throws: `MPIError`; ``StallError`` if it never is.
  func wait(for event: some Awaitable) throws {
    try Timeline.record(.waiting, name) {
      if let watch { try watch.wait(for: event) } else { try event.wait() }
    }
  }

  /// What this rank has received tells that every rank has entered the exchange's operation.
  func allHaveEntered(_ kind: FlightRecord.Kind) {
    if kind != .start { leave() }
    watch?.allHaveEntered(kind == .start ? started : current)
  }

  /// The exchange is over for this rank.
  func leave() { Timeline.end(.interval, name, begun: begun) }
}

import FlightRecorder
import MPI
import Timelines
import Waiting

/// What this rank does with exchanges, told in one place: the stall watch, the flight record and the timeline have it
/// from here, under the same names and numbers.
public final class ExchangeLog {
  let watch: StallWatch?
  private let recorder: FlightRecorder?

  /// - Parameters:
  ///   - watch: notices exchanges that hang; without one they are waited for as long as they take.
  ///   - recorder: keeps the last operations.
  public init(watch: StallWatch? = nil, recorder: FlightRecorder? = nil) {
    (self.watch, self.recorder) = (watch, recorder)
  }

  /// Tells that a global training step (from 0) begins.
  func begin(step: Int) {
    watch?.step = step
    recorder?.step = step
  }

  /// A line of the table of names.
  struct Entry {
    fileprivate let inWatch, inRecorder, inTimeline, byteCount: Int
  }

  /// Every rank must register the same exchanges in the same order.
  /// - Parameter byteCount: what this rank gives to others in messages.
  func register(_ name: String, byteCount: Int) -> Entry {
    Entry(
      inWatch: watch?.register(name) ?? 0, inRecorder: recorder?.register(name: name) ?? 0,
      inTimeline: Timeline.register(name), byteCount: byteCount)
  }

  /// This rank enters an exchange.
  /// - Returns: for ``leave(_:begun:)``: when, while a timeline is recorded.
  func enter(_ entry: Entry) -> Int? {
    watch?.enter(entry.inWatch)
    recorder?.enter(name: entry.inRecorder, byteCount: entry.byteCount)
    return Timeline.begin()
  }

  /// Waits in an exchange until something is over.
  /// - Throws: `MPIError`; ``StallError`` if it never is.
  func wait(_ entry: Entry, for event: some Awaitable) throws {
    try Timeline.record(.waiting, entry.inTimeline) {
      if let watch { try watch.wait(for: event) } else { try event.wait() }
    }
  }

  /// The exchange is over for this rank.
  /// - Parameter allHaveEntered: whether that tells that all ranks have entered it.
  func leave(_ entry: Entry, begun: Int?, allHaveEntered: Bool) {
    Timeline.end(.interval, entry.inTimeline, begun: begun)
    recorder?.leave()
    if allHaveEntered { watch?.allHaveEntered() }
  }
}

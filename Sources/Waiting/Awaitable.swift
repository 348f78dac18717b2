/// Something that takes its time, and is asked whether it is over: whoever waits keeps control in between.
public protocol Awaitable {
  /// Whether it is over. To be asked again and again, as only that makes it go on.
  func isComplete() throws -> Bool

  /// Gives the processor to others until it may be over, at most so many nanoseconds.
  func sleep(atMost nanoseconds: Int)
}

extension Awaitable {
  /// How often whoever sleeps looks up, in nanoseconds.
  public static var pollInterval: Int { 50_000_000 }

  /// Waits until it is over: looks often for a short while (``Spinning``), then sleeps between looks.
  /// - Parameter attend: is called while this takes long, about every ``pollInterval``.
  /// - Throws: `MPIError`, or what `attend` throws.
  public func wait(_ attend: () throws -> Void = {}) throws {
    if try Spinning.look({ try isComplete() }) { return }
    var nextPoll = Spinning.monotonicTime() + Self.pollInterval
    while try !isComplete() {
      sleep(atMost: Self.pollInterval)
      guard Spinning.monotonicTime() >= nextPoll else { continue }
      try attend()
      nextPoll = Spinning.monotonicTime() + Self.pollInterval
    }
  }
}

/// Something that takes its time, and is asked whether it is over: whoever waits keeps control in between.
public protocol Awaitable {
  /// Whether it is over. To be asked again and again, as only that makes it go on.
  func isComplete() throws -> Bool
}

extension PlannedExchange: Awaitable {}

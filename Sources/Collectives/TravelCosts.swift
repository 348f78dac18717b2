/// What it costs to send something to another host, and to compute it twice instead: no result depends on it, only who
/// takes which sums.
public struct TravelCosts: Equatable, Sendable {
  /// What a host sends while it receives as much.
  public let bytesPerSecond: Double
  /// Floating-point operations a second of the slowest host's matrix products.
  public let operationsPerSecond: Double

  public init(bytesPerSecond: Double, operationsPerSecond: Double) {
    (self.bytesPerSecond, self.operationsPerSecond) = (bytesPerSecond, operationsPerSecond)
  }

  /// Where nothing was measured: some cores, and 10 Gbit/s.
  public static let usual = TravelCosts(bytesPerSecond: 1.25e9, operationsPerSecond: 200e9)

  /// The network's rate as its makers tell it.
  public var gigabitsPerSecond: Double { 8 * bytesPerSecond / 1e9 }

  /// Seconds that a host needs for both, one after the other.
  public func seconds(bytes: Double, operations: Double) -> Double {
    bytes / bytesPerSecond + operations / operationsPerSecond
  }
}

import Glibc
import Waiting

/// The wait for a movement: all others that are under way move, too.
public struct MovementToFinish: Awaitable {
  public let movement: Movement
  private let traffic: Traffic

  public init(_ movement: Movement, _ traffic: Traffic) {
    (self.movement, self.traffic) = (movement, traffic)
  }

  public func isComplete() throws -> Bool {
    try traffic.look()
    return movement.isFinished
  }

  public func sleep(atMost nanoseconds: Int) { Self.nap(nanoseconds) }

  /// Messages move only when MPI is called: a nap, no longer than a few packets take.
  fileprivate static func nap(_ nanoseconds: Int) {
    var nap = timespec(tv_sec: 0, tv_nsec: min(nanoseconds, 20_000))
    nanosleep(&nap, nil)
  }
}

/// The wait at a barrier of a host: what is under way to other hosts goes on.
public struct AttentiveBarrier: Awaitable {
  public let barrier: HostBarrier
  private let traffic: Traffic

  public init(_ barrier: HostBarrier, _ traffic: Traffic) {
    (self.barrier, self.traffic) = (barrier, traffic)
  }

  public func isComplete() throws -> Bool {
    if barrier.isComplete() { return true }
    try traffic.look()
    return false
  }

  public func sleep(atMost nanoseconds: Int) {
    if traffic.isEmpty {
      barrier.sleep(atMost: nanoseconds)
    } else {
      MovementToFinish.nap(nanoseconds)
    }
  }
}

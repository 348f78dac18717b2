import Memory

/// One rank alone: nobody to wait for.
public final class SoloCollective: Collective {
  public let topology: Topology
  public let traffic = Traffic()
  private var regions: [UnsafeMutableRawPointer] = []

  public init(threads: Int = 1) { topology = .solo(threads: threads) }

  deinit {
    for region in regions { Memory.free(region) }
  }

  public func makeMemory(byteCount: Int, for purpose: String) throws -> UnsafeMutableRawPointer {
    let region = try Memory.zeros(byteCount: byteCount, for: purpose)
    regions.append(region)
    return region
  }

  public func makeMovement(
    _ schedule: Schedule, in regions: [UnsafeMutableRawPointer],
    preparing prepare: @escaping () -> Void, adding add: @escaping Movement.Adder
  ) -> Movement {
    Movement(
      schedule, in: regions,
      plan: { _ in preconditionFailure("a message, and there is one rank") }, preparing: prepare,
      adding: add)
  }

  public func makeExchange(
    name: String, finishing finished: [Movement], inside: [Movement]
  ) -> any Exchange {
    Nobody()
  }

  private final class Nobody: Exchange {
    func run(vote: Bool) -> Bool { vote }
  }
}

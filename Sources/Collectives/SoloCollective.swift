import Memory

/// One rank alone: nobody to wait for.
public final class SoloCollective: Collective {
  public let topology: Topology
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

  public func makeExchange(name: String, of rows: [TravellingRows]) -> any Exchange { Nobody() }

  private final class Nobody: Exchange {
    func run(vote: Bool) -> Bool { vote }
  }
}

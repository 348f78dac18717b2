/// An all-gather of as many elements from each rank, planned once: every rank sends its part to all others.
public final class GatherExchange<Element: MPIElement & Numeric> {
  /// What this rank gives: its part of ``contributions``.
  public let contribution: UnsafeMutableBufferPointer<Element>
  /// `[ranks, count]`: what all ranks gave, in rank order, once ``messages`` have arrived.
  public let contributions: UnsafeMutableBufferPointer<Element>
  /// To be started and awaited. All ranks have started it when it is complete on one.
  public let messages: PlannedExchange

  /// Every rank must call this.
  /// - Parameter tag: as in ``PlannedExchange``.
  /// - Throws: ``MPIError``.
  public init(count: Int, tag: Int, over communicator: Communicator) throws {
    let memory = try ExchangeMemory<Element>(count: communicator.rankCount * count)
    func part(_ rank: Int) -> UnsafeMutableBufferPointer<Element> {
      UnsafeMutableBufferPointer(rebasing: memory.elements[rank * count..<(rank + 1) * count])
    }
    let own = part(communicator.rank)
    (contribution, contributions) = (own, memory.elements)
    messages = try PlannedExchange(
      sending: communicator.otherRanks.map { Parcel(rank: $0, elements: own) },
      receiving: communicator.otherRanks.map { Parcel(rank: $0, elements: part($0)) },
      tag: tag, owner: memory, over: communicator)
  }
}

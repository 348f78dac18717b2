import MPI
import Matrices
import NeuralNetwork

/// Ranks that are MPI processes: those of one host share memory, those of several exchange messages.
///
/// MPI moves bytes and adds nothing up: MPI_Allreduce does not promise the same bits on every rank, nor
/// for another algorithm. Sums are taken here, in the tree's order.
public final class MPICollective: Collective {
  private let teams: HostTeams
  private let watch: StallWatch?
  private let mayShareMemory: Bool
  private let mayShareReplicas: Bool
  private var nextTag = 0

  /// Every rank must call this.
  /// - Parameters:
  ///   - watch: notices exchanges that hang; without one they are waited for as long as they take.
  ///   - mayShareMemory: whether ranks of a host meet in shared memory.
  ///   - mayShareReplicas: whether they have one copy there of what is the same on all ranks.
  /// - Throws: `MPIError`.
  public init(
    _ communicator: Communicator, watch: StallWatch? = nil, mayShareMemory: Bool = true,
    mayShareReplicas: Bool = true
  ) throws {
    teams = try HostTeams(communicator)
    self.watch = watch
    self.mayShareMemory = mayShareMemory
    self.mayShareReplicas = mayShareReplicas
  }

  public var rank: Int { teams.world.rank }
  public var rankCount: Int { teams.world.rankCount }

  public func willBegin(step: Int) { watch?.step = step }

  public func makeGather(name: String, count: Int) throws -> any Gather {
    if rankCount == 1 { return try SoloCollective().makeGather(name: name, count: count) }
    let awaited = AwaitedExchange(watch, name: name)
    if let window = try makeWindow(
      byteCount: SharedGather.byteCount(count: count, teams: teams))
    {
      return try SharedGather(
        count: count, in: window, tag: takeTags(1 + rankCount), teams: teams, awaited)
    }
    return MessageGather(
      try GatherExchange<Double>(count: count, tag: takeTags(1), over: teams.world), awaited)
  }

  public func makeReduction(
    name: String, of layout: ParameterLayout, over partition: BatchPartition
  ) throws -> any Reduction {
    // Nothing to add up, so nothing to copy.
    if rankCount == 1 {
      return try SoloCollective().makeReduction(name: name, of: layout, over: partition)
    }
    let awaited = AwaitedExchange(watch, name: name)
    if let window = try makeWindow(
      byteCount: SharedReduction.byteCount(layout, over: partition, teams: teams))
    {
      let tag = takeTags(SharedReduction.tagCount(layout, over: partition, teams: teams))
      return try SharedReduction(
        layout, over: partition, in: window, tag: tag, teams: teams, awaited)
    }
    return try MessageReduction(
      layout, over: partition, tag: takeTags(SliceSum.tagCount(nodes: partition.nodesOfRank)),
      communicator: teams.world, awaited)
  }

  public func makeReplicas(name: String, byteCount: Int) throws -> any Replicas {
    guard mayShareReplicas,
      let window = try makeWindow(
        byteCount: SharedReplicas.byteCount(byteCount, teams: teams))
    else { return PrivateReplicas() }
    return SharedReplicas(in: window, teams: teams, AwaitedExchange(watch, name: name))
  }

  /// Nil on all ranks if there is nobody to share with, or no room.
  private func makeWindow(byteCount: Int) throws -> SharedWindow? {
    guard mayShareMemory && teams.shareHosts else { return nil }
    return try teams.makeWindow(byteCount: byteCount)
  }

  /// Tags that no other exchange has: all ranks make the same exchanges in the same order.
  private func takeTags(_ count: Int) -> Int {
    defer { nextTag += count }
    return nextTag
  }
}

import Collectives
import Matrices
import NeuralNetwork

/// Compares the state of all hosts, tensor by tensor: equal updates of equal parameters stay equal, unless memory or a
/// processor is faulty. Ranks of one host have one state between them: there is nothing to compare.
final class DriftSentinel {
  private let state: TrainingState
  private let topology: Topology
  private let gather: AllGather
  private let rankNames: [String]
  private let tensors: [(name: String, values: UnsafeBufferPointer<Float>)]
  private var lastAgreedStep = 0

  /// Every rank must call this.
  /// - Throws: what the collective throws.
  init(_ state: TrainingState, over collective: any Collective, rankNames: [String]?) throws {
    self.state = state
    topology = collective.topology
    self.rankNames = rankNames ?? (0..<collective.rankCount).map { "rank \($0)" }
    tensors = state.tensors.map { ($0.name, UnsafeBufferPointer($0.values)) }
    gather = try AllGather(name: "drift.digests", count: 2 * tensors.count, over: collective)
  }

  /// Compares all hosts. Every rank must call this.
  /// - Throws: ``TrainingFailure/diverged(rank:tensor:step:lastAgreedStep:)``, the same on every rank.
  func check() throws {
    if topology.hostCount > 1 {
      if topology.isLeader { writeDigests() }
      try gather.run()
      for index in 0..<gather.contribution.count {
        let digests = topology.leaders.map { gather.ofRank($0)[index] }
        guard let odd = Self.oddOneOut(digests) else { continue }
        throw TrainingFailure.diverged(
          rank: rankNames[topology.leaders[odd]], tensor: tensors[index / 2].name,
          step: state.step, lastAgreedStep: lastAgreedStep)
      }
    }
    lastAgreedStep = state.step
  }

  private func writeDigests() {
    for (index, tensor) in tensors.enumerated() {
      // A double holds 53 bits, so a digest travels in two halves.
      let digest = VectorMath.digest(tensor.values)
      gather.contribution[2 * index] = Double(digest >> 32)
      gather.contribution[2 * index + 1] = Double(digest & 0xFFFF_FFFF)
    }
  }

  /// The first host that differs from most; nil if all are equal.
  static func oddOneOut(_ digests: [Double]) -> Int? {
    guard digests.contains(where: { $0 != digests[0] }) else { return nil }
    let votes = Dictionary(grouping: digests.indices) { digests[$0] }
    // Among equals the camp of the first host wins.
    let most = votes.values.max { ($0.count, -$0[0]) < ($1.count, -$1[0]) } ?? []
    return digests.indices.first { !most.contains($0) }
  }
}

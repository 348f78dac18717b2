import Matrices
import NeuralNetwork

/// Compares the state of all ranks, tensor by tensor: equal updates of equal parameters stay equal, unless memory or a
/// processor is faulty.
///
/// Ranks that share their state (``Replicas``) have one copy of parameters and moments to show: then hosts are compared.
final class DriftSentinel {
  private let state: TrainingState
  private let gather: any Gather
  private let rankNames: [String]
  private let tensors: [(name: String, values: UnsafeBufferPointer<Float>)]
  private var lastAgreedStep = 0

  /// Every rank must call this.
  init(_ state: TrainingState, over collective: any Collective, rankNames: [String]?) throws {
    self.state = state
    self.rankNames = rankNames ?? (0..<collective.rankCount).map { "rank \($0)" }
    tensors = state.tensors.map { ($0.name, UnsafeBufferPointer($0.values)) }
    gather = try collective.makeGather(name: "drift.digests", count: 2 * tensors.count)
  }

  /// Compares all ranks. Every rank must call this.
  /// - Throws: ``TrainingFailure/diverged(rank:tensor:step:lastAgreedStep:)``, the same on every rank.
  func check() throws {
    for (index, tensor) in tensors.enumerated() {
      // A double holds 53 bits, so a digest travels in two halves.
      let digest = VectorMath.digest(tensor.values)
      gather.contribution[2 * index] = Double(digest >> 32)
      gather.contribution[2 * index + 1] = Double(digest & 0xFFFF_FFFF)
    }
    try gather.run()
    let count = gather.contribution.count
    for index in 0..<count {
      let digests = rankNames.indices.map { gather.contributions[$0 * count + index] }
      guard let odd = Self.oddOneOut(digests) else { continue }
      throw TrainingFailure.diverged(
        rank: rankNames[odd], tensor: tensors[index / 2].name, step: state.step,
        lastAgreedStep: lastAgreedStep)
    }
    lastAgreedStep = state.step
  }

  /// The first rank that differs from most; nil if all are equal.
  static func oddOneOut(_ digests: [Double]) -> Int? {
    guard digests.contains(where: { $0 != digests[0] }) else { return nil }
    let votes = Dictionary(grouping: digests.indices) { digests[$0] }
    // Among equals the camp of the lowest rank wins.
    let most = votes.values.max { ($0.count, -$0[0]) < ($1.count, -$1[0]) } ?? []
    return digests.indices.first { !most.contains($0) }
  }
}

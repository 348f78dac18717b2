import Collectives
import Matrices

/// The gradient of a layer where sums travel: what a host's own nodes of the tree add, `[nodes, count]`, and after the
/// exchange the sum of all hosts at the place of the first.
public final class GradientSum {
  /// Begun by every rank when the owners of a host have taken its nodes' sums.
  public let movement: Movement
  /// Leaves of each node that this host has.
  let nodes: [Range<Int>]
  /// Numbers of a node: the layer's weights, then its biases.
  private let count: Int
  private let numbers: UnsafeMutablePointer<Float>

  /// Every rank must call this.
  /// - Parameter count: parameters of the layer.
  /// - Throws: what the collective throws.
  init(count: Int, _ route: GradientRoute, over collective: any Collective) throws {
    self.count = count
    let topology = collective.topology
    nodes = route.leaves.nodes(ofHost: topology.host)
    let sums = SumSchedule(route.leaves, count: count, topology)
    func zeros(_ count: Int) throws -> UnsafeMutablePointer<Float> {
      try collective.makeNumbers(of: Float.self, count: count, for: "gradients of hosts")
        .baseAddress!
    }
    numbers = try zeros(sums.nodeCount * count)
    movement = try collective.makeMovement(
      sums.schedule,
      in: [
        UnsafeMutableRawPointer(numbers), UnsafeMutableRawPointer(try zeros(sums.receivedCount)),
      ],
      preparing: {},
      adding: { target, source, addition in
        VectorMath.kernels.pointee.add(
          target.assumingMemoryBound(to: Float.self), source.assumingMemoryBound(to: Float.self),
          addition.target.bytes.count / MemoryLayout<Float>.stride)
      })
  }

  /// Where the numbers of a node begin; those of the sum are node 0's.
  func node(_ index: Int) -> UnsafeMutablePointer<Float> { numbers + index * count }
}

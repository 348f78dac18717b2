import Collectives
import Matrices

/// The gradients of some outputs of a layer where sums travel: what a host's own nodes of the tree add,
/// `[nodes, count]`, and after the exchange the sum of all hosts at the place of the first.
public final class GradientSum {
  /// Begun by every rank when the owners of a host have taken its nodes' sums.
  public let movement: Movement
  /// How each node that this host has is added up; one may be of no rows.
  let orders: [SummationOrder]
  private let outputs: Range<Int>
  private let inputSize: Int
  /// Numbers of a node: the outputs' weights, then their biases.
  private var count: Int { outputs.count * (inputSize + 1) }
  private let numbers: UnsafeMutablePointer<Float>

  /// Every rank must call this.
  /// - Parameter inputSize: of the layer.
  /// - Throws: what the collective throws.
  init(
    _ outputs: Range<Int>, inputSize: Int, _ route: GradientRoute, over collective: any Collective
  ) throws {
    (self.outputs, self.inputSize) = (outputs, inputSize)
    let count = outputs.count * (inputSize + 1)
    let topology = collective.topology
    orders = route.orders
    let sums = SumSchedule(route.leaves, count: count, topology)
    func zeros(_ count: Int) throws -> UnsafeMutablePointer<Float> {
      try collective.makeNumbers(of: Float.self, count: count, for: "gradients of hosts")
        .baseAddress!
    }
    let numbers = try zeros(sums.nodeCount * count)
    self.numbers = numbers
    // Where the last sum of all was, a host without rows has nothing to write.
    let hasRows = orders.contains { !$0.terms.isEmpty }
    let own = UnsafeMutableBufferPointer(
      rebasing: UnsafeMutableBufferPointer(start: numbers, count: count)[
        sums.numbersOfLane])
    movement = try collective.makeMovement(
      sums.schedule,
      in: [
        UnsafeMutableRawPointer(numbers), UnsafeMutableRawPointer(try zeros(sums.receivedCount)),
      ],
      preparing: { if !hasRows { own.update(repeating: 0) } },
      adding: { target, source, addition in
        VectorMath.kernels.pointee.add(
          target.assumingMemoryBound(to: Float.self), source.assumingMemoryBound(to: Float.self),
          addition.target.bytes.count / MemoryLayout<Float>.stride)
      })
  }

  /// Where an output's weight gradient is, `[inputSize]`; that of the sum is node 0's.
  func weights(of output: Int, node: Int) -> UnsafeMutablePointer<Float> {
    numbers + node * count + (output - outputs.lowerBound) * inputSize
  }

  /// Where an output's bias gradient is; that of the sum is node 0's.
  func bias(of output: Int, node: Int) -> UnsafeMutablePointer<Float> {
    numbers + node * count + outputs.count * inputSize + (output - outputs.lowerBound)
  }
}

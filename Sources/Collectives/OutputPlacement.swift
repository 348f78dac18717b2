/// Whose outputs are whose: the outputs of a network's layers are dealt out to the workers of a host.
///
/// An owner takes what is summed over rows for its outputs, over all rows, and updates them.
public struct OutputPlacement: Equatable, Sendable {
  /// Outputs that stay together: whole pairs of bfloat16 numbers, and enough rows for a kernel.
  public static let groupSize = 8

  /// A run of a layer's outputs.
  public struct Run: Equatable, Sendable {
    public let layer: Int
    public let outputs: Range<Int>
  }

  /// What each worker owns; together all outputs, each once.
  public let runsOfWorkers: [[Run]]

  /// Deals out groups so that all workers have about as much to do.
  /// - Parameter layers: of each layer its outputs, and what one of them costs.
  public init(layers: [(outputs: Int, cost: Int)], workers: Int) {
    let total = layers.reduce(0.0) { $0 + Double($1.outputs) * Double($1.cost) }
    var runs = [[Run]](repeating: [], count: workers)
    var done = 0.0
    for (layer, size) in layers.enumerated() {
      for begin in stride(from: 0, to: size.outputs, by: Self.groupSize) {
        let outputs = begin..<min(begin + Self.groupSize, size.outputs)
        let cost = Double(outputs.count) * Double(size.cost)
        // Who owns the middle of a group owns the group.
        let middle = total == 0 ? 0 : (done + cost / 2) / total
        let worker = min(Int(middle * Double(workers)), workers - 1)
        done += cost
        if let last = runs[worker].last, last.layer == layer {
          runs[worker][runs[worker].count - 1] = Run(
            layer: layer, outputs: last.outputs.lowerBound..<outputs.upperBound)
        } else {
          runs[worker].append(Run(layer: layer, outputs: outputs))
        }
      }
    }
    runsOfWorkers = runs
  }
}

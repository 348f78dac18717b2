import Collectives
import Matrices

extension GradientRoute {
  /// How the gradients of a network's layers come about.
  public init(_ linears: [Linear], of batch: DistributedBatch) {
    func bytes(_ numbers: (Linear) -> Int) -> Int {
      linears.reduce(0) { $0 + MemoryLayout<Float>.stride * numbers($1) }
    }
    self.init(
      bytesOfRow: bytes {
        $0.output.differentiablePasses * ($0.parameters.inputSize + $0.parameters.outputSize)
      },
      bytesOfGradient: bytes { $0.parameters.weight.count + $0.parameters.bias.count },
      operationsOfRow: linears.reduce(0) {
        $0 + 2 * $1.output.differentiablePasses * $1.parameters.weight.count
      }, of: batch)
  }
}

extension Program {
  /// Weight gradients, and Adam's step with them; the rows for the last layer's have arrived. Every rank must call
  /// this.
  ///
  /// On one host an owner does both for all layers in one go. Between hosts layers follow each other, the last one
  /// first: the others' rows are still on their way. Where sums travel, the last layer's depart first, too, and Adam
  /// follows layer by layer.
  /// - Parameter name: of the network, in the names of exchanges.
  /// - Returns: what has to live as long as the program.
  /// - Throws: `KernelError`, `MemoryError`, or what the collective throws.
  public func update(
    _ linears: [Linear], by adam: Adam, _ route: GradientRoute, name: String
  ) throws -> [GradientSum] {
    guard route.sumsTravel else {
      let isAlone = batch.collective.topology.hostCount == 1
      for (index, layers) in (isAlone ? [linears] : linears.map { [$0] }).enumerated().reversed() {
        let owned = owned(layers)
        if !isAlone { try awaitRows(for: layers[0], "\(name).layer\(index).rows") }
        try everyWorker { _, list in
          for run in owned[list.thread] {
            try layers[run.layer].update(run.outputs, by: adam, in: list)
          }
        }
      }
      return []
    }
    let pieces = try linears.enumerated().reversed().flatMap { index, linear in
      try linear.piecesForSums.map { outputs in
        (
          linear: linear, name: "\(name).layer\(index)",
          sum: try linear.makeGradientSum(outputs, route), owned: owned(linear, outputs)
        )
      }
    }
    for piece in pieces {
      try awaitRows(for: piece.linear, "\(piece.name).rows")
      try everyWorker { _, list in
        try piece.linear.addUp(piece.owned[list.thread], into: piece.sum, in: list) {
          look(in: list)
        }
      }
      try meet("\(piece.name).gradient", finishing: [])
      begin(piece.sum.movement)
    }
    for piece in pieces {
      try meet("\(piece.name).sum", finishing: [piece.sum.movement])
      everyWorker { _, list in
        piece.linear.update(piece.owned[list.thread], by: adam, gradient: piece.sum, in: list)
      }
    }
    return pieces.map(\.sum)
  }

  /// Which of some outputs of a layer each thread of this rank owns; it may be none.
  private func owned(_ linear: Linear, _ outputs: Range<Int>) -> [Range<Int>] {
    let topology = batch.collective.topology
    let runs = OutputPlacement(
      layers: [(outputs.count, linear.parameters.inputSize)], workers: topology.workerCount
    ).runsOfWorkers
    return runs[topology.ownWorkers].map {
      guard let run = $0.first else { return outputs.lowerBound..<outputs.lowerBound }
      return outputs.lowerBound + run.outputs.lowerBound..<outputs.lowerBound
        + run.outputs.upperBound
    }
  }

  /// The outputs of some layers that each thread of this rank owns.
  private func owned(_ linears: [Linear]) -> [[OutputPlacement.Run]] {
    let topology = batch.collective.topology
    let runs = OutputPlacement(
      layers: linears.map { ($0.parameters.outputSize, $0.parameters.inputSize) },
      workers: topology.workerCount
    ).runsOfWorkers
    return Array(runs[topology.ownWorkers])
  }
}

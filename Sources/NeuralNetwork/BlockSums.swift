import Collectives
import Matrices

/// What each block of a batch's rows adds to sums over all rows, `[blocks, passes, count]`, in memory that a host's
/// ranks share: blocks are the leaves of the tree in which they are added.
///
/// On one host every worker adds up all blocks. On several, the leader of each adds up its host's nodes of the tree,
/// these travel, and every worker adds up what is left.
final class BlockSums {
  /// What is summed.
  enum Kind: BitwiseCopyable {
    /// Numbers.
    case sums
    /// Means and sums of squared distances from them, `[count / 2]` each (Chan et al., 1983).
    case moments

    /// Adds up two nodes of so many rows; the first becomes the sum.
    @inline(__always)
    fileprivate func add(
      _ numbers: UnsafeMutablePointer<Double>, _ rows: Int, _ others: UnsafePointer<Double>,
      _ otherRows: Int, count: Int
    ) {
      switch self {
      case .sums: for index in 0..<count { numbers[index] += others[index] }
      case .moments:
        let columns = count / 2
        VectorMath.kernels.pointee.mergeMoments(
          Double(rows), numbers, numbers + columns, Double(otherRows), others, others + columns,
          columns)
      }
    }
  }

  /// What has to run inside an exchange, when all ranks of the host have written their blocks.
  let movement: Movement
  private let kind: Kind
  private let numbers: UnsafeMutablePointer<Double>
  private let passes, count: Int
  private let blockRows: [Range<Int>]
  /// What workers add up after the exchange: rows, and where the first pass of the term is.
  private let terms: [(rows: Int, numbers: UnsafeMutablePointer<Double>)]
  private let additions: [Int]
  private let workspace = Workspace()

  /// Every rank must call this.
  /// - Parameter count: sums of a pass.
  /// - Throws: what the collective throws.
  init(_ kind: Kind, passes: Int, count: Int, of batch: DistributedBatch) throws {
    (self.kind, self.passes, self.count) = (kind, passes, count)
    let blockSize = BatchPlacement.blockSize
    let blocks = SummationOrder(rows: batch.rows, leafSize: blockSize)
    let countOfTerm = passes * count
    let topology = batch.collective.topology
    let numbers = try batch.collective.makeNumbers(
      of: Double.self, count: blocks.terms.count * countOfTerm, for: "sums over a batch"
    ).baseAddress!
    self.numbers = numbers
    blockRows = blocks.terms
    func ofBlocks(_ blocks: Range<Int>) -> [(rows: Int, numbers: UnsafeMutablePointer<Double>)] {
      blocks.map { (min(blockSize, batch.rows - $0 * blockSize), numbers + $0 * countOfTerm) }
    }
    guard topology.hostCount > 1 else {
      terms = ofBlocks(0..<blocks.terms.count)
      additions = blocks.additions
      movement = try batch.collective.makeMovement(ofRows: [])
      return
    }
    let leaves = LeafPlacement(rowsOfHosts: batch.placement.rowsOfHosts, leafSize: blockSize)
    let nodes = NodeSchedule(
      leaves, rowCount: batch.rows, bytesOfNode: countOfTerm * MemoryLayout<Double>.stride,
      topology, mostDirect: batch.collective.mostHostsOfDirectExchange)
    let places = try batch.collective.makeNumbers(
      of: Double.self, count: nodes.placeCount * countOfTerm, for: "sums of hosts"
    ).baseAddress!
    let remaining = SummationOrder(
      rows: batch.rows, leafSize: blockSize, terms: nodes.terms.map(\.node))
    terms = zip(remaining.terms, nodes.terms).map {
      ($0.count, places + $1.place * countOfTerm)
    }
    additions = remaining.additions
    // The leader adds up this host's nodes.
    let walks = try nodes.own.flatMap { [workspace] node, place in
      try (0..<passes).map { pass in
        (
          walk: try Walk(
            kind, ofBlocks(node).map { ($0.rows, $0.numbers + pass * count) },
            additions: SummationTree.additions(node.map { $0..<$0 + 1 }), count: count,
            in: workspace),
          target: places + place * countOfTerm + pass * count
        )
      }
    }
    movement = try batch.collective.makeMovement(
      nodes.schedule, in: [UnsafeMutableRawPointer(places)],
      preparing: {
        for (walk, target) in walks {
          walk.run()
          target.update(from: walk.stack, count: count)
        }
      },
      adding: { target, source, addition in
        let target = target.assumingMemoryBound(to: Double.self)
        let source = source.assumingMemoryBound(to: Double.self)
        for pass in 0..<passes {
          kind.add(
            target + pass * count, addition.targetRows, source + pass * count, addition.sourceRows,
            count: count)
        }
      })
  }

  /// The blocks that some rows of a pass are, and their rows.
  func blocks(_ rows: Range<Int>) -> [(block: Int, rows: Range<Int>)] {
    BatchPlacement.blocks(rows).map { ($0, blockRows[$0]) }
  }

  /// Where a block's part of a pass is written, `[count]`.
  func part(_ block: Int, ofPass pass: Int) -> UnsafeMutablePointer<Double> {
    numbers + (block * passes + pass) * count
  }

  /// How terms are added up.
  struct Walk: BitwiseCopyable {
    private struct Term: BitwiseCopyable {
      let numbers: UnsafePointer<Double>
      let rows, additions: Int
    }
    private let kind: Kind
    private let terms: UnsafeMutablePointer<Term>
    private let termCount, count: Int
    private let rowsOfPlaces: UnsafeMutablePointer<Int>
    /// `[depth, count]`; the sums are at the beginning in the end.
    let stack: UnsafeMutablePointer<Double>

    /// - Parameters:
    ///   - terms: rows of each, and where its numbers are.
    ///   - additions: how many follow after each term.
    ///   - workspace: of the worker.
    /// - Throws: `MemoryError`.
    init(
      _ kind: Kind, _ terms: [(rows: Int, numbers: UnsafeMutablePointer<Double>)],
      additions: [Int], count: Int, in workspace: Workspace
    ) throws {
      (self.kind, self.count, termCount) = (kind, count, terms.count)
      let bytes = try workspace.zeros(
        of: Int.self, count: terms.count * MemoryLayout<Term>.stride / MemoryLayout<Int>.stride)
      self.terms = UnsafeMutableRawPointer(bytes.baseAddress!).bindMemory(
        to: Term.self, capacity: terms.count)
      var (height, depth) = (0, 1)
      for (index, (term, additions)) in zip(terms, additions).enumerated() {
        self.terms[index] = Term(
          numbers: UnsafePointer(term.numbers), rows: term.rows, additions: additions)
        height += 1
        depth = max(depth, height)
        height -= additions
      }
      rowsOfPlaces = try workspace.zeros(of: Int.self, count: depth).baseAddress!
      stack = try workspace.zeros(of: Double.self, count: depth * count).baseAddress!
    }

    /// Adds up in the tree's order. Nothing is allocated.
    func run() {
      var height = 0
      for index in 0..<termCount {
        let term = terms[index]
        (stack + height * count).update(from: term.numbers, count: count)
        rowsOfPlaces[height] = term.rows
        height += 1
        for _ in 0..<term.additions {
          height -= 1
          kind.add(
            stack + (height - 1) * count, rowsOfPlaces[height - 1], stack + height * count,
            rowsOfPlaces[height], count: count)
          rowsOfPlaces[height - 1] += rowsOfPlaces[height]
        }
      }
    }
  }

  /// What a worker adds up after the exchange.
  /// - Parameter workspace: of the worker.
  /// - Throws: `MemoryError`.
  func walk(ofPass pass: Int, in workspace: Workspace) throws -> Walk {
    try Walk(
      kind, terms.map { ($0.rows, $0.numbers + pass * count) }, additions: additions, count: count,
      in: workspace)
  }
}

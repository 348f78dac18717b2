/// Rows that ranks make, each some of them, and all ranks read: `[count]` elements of any kind in memory that a host's
/// ranks share.
///
/// What a row is must not depend on who makes it.
public final class SharedRows<Element: BitwiseCopyable> {
  /// All elements.
  public let elements: UnsafeMutableBufferPointer<Element>
  /// Those that this rank makes.
  public let own: Range<Int>
  private let movement: Movement
  private let made, read: any Exchange

  /// Every rank must call this.
  /// - Parameters:
  ///   - name: of the exchange.
  ///   - count: rows.
  ///   - elementsOfRow: of each.
  /// - Throws: what the collective throws.
  public init(
    _ name: String, count: Int, elementsOfRow: Int = 1, over collective: any Collective
  ) throws {
    let bytesOfRow = elementsOfRow * MemoryLayout<Element>.stride
    let memory = try collective.makeMemory(
      byteCount: max(count * bytesOfRow, 1), for: "\(count) rows of \(name)")
    elements = UnsafeMutableBufferPointer(
      start: memory.bindMemory(to: Element.self, capacity: count * elementsOfRow),
      count: count * elementsOfRow)
    let placement = BatchPlacement(globalBatchSize: count, topology: collective.topology)
    // The rows of a rank's threads are neighbours.
    let threads = placement.rowsOfThreads
    own = (threads.first?.lowerBound ?? 0)..<(threads.last?.upperBound ?? 0)
    movement = try collective.makeMovement(ofRows: [
      TravellingRows(
        address: memory, bytesOfRow: bytesOfRow, rowsOfPlaces: placement.rowsOfPlaces,
        rowsForHosts: placement.rowsOfHosts.map { _ in 0..<count })
    ])
    made = try collective.makeExchange(name: name, finishing: [movement], inside: [])
    read = try collective.makeBarrier(name: "\(name).read")
  }

  /// Makes all rows, and reads them. Every rank must call this.
  /// - Parameters:
  ///   - make: makes the rows ``own``.
  ///   - use: reads all.
  /// - Throws: what these and the exchanges throw.
  public func run<Result>(
    make: () throws -> Void, use: (UnsafeMutableBufferPointer<Element>) throws -> Result
  ) throws -> Result {
    try make()
    try movement.start()
    try made.run()
    let result = try use(elements)
    // After this others may make the next ones.
    try read.run()
    return result
  }
}

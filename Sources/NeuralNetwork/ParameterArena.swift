import Collectives
import Matrices

/// Names, shapes and places of a network's tensors, in the order in which they were declared.
public struct ParameterLayout: Equatable, Sendable {
  /// One tensor: `offset` and `count` in elements.
  public struct Entry: Equatable, Sendable {
    public let name: String
    public let shape: [Int]
    public let offset: Int
    public var count: Int { shape.reduce(1, *) }
  }

  public private(set) var entries: [Entry] = []

  public init() {}

  /// Declares the next tensor; it begins on a cache line.
  public mutating func add(_ name: String, shape: [Int]) -> Entry {
    let entry = Entry(name: name, shape: shape, offset: extent)
    entries.append(entry)
    return entry
  }

  /// Elements of memory, the gaps between tensors included.
  public var extent: Int {
    guard let last = entries.last else { return 0 }
    let elementsOfLine = 64 / MemoryLayout<Float>.stride
    return (last.offset + last.count + elementsOfLine - 1) / elementsOfLine * elementsOfLine
  }

  /// Elements of all tensors, without the gaps.
  public var parameterCount: Int { entries.reduce(0) { $0 + $1.count } }
}

/// All tensors of one kind (parameters, gradients, a moment) in one allocation with one layout:
/// one object to reduce, update, hash and save.
public final class ParameterArena {
  public let layout: ParameterLayout
  /// The tensors, gaps included: `[layout.extent]`.
  public let values: UnsafeMutableBufferPointer<Float>
  private let owner: AnyObject

  /// An arena of zeros.
  /// - Throws: `MemoryError`.
  public convenience init(_ layout: ParameterLayout) throws {
    let workspace = Workspace()
    let zeros = try workspace.zeros(
      of: Float.self, count: layout.extent,
      for: "the \(layout.entries.count) tensors of a network")
    self.init(layout, in: zeros, owner: workspace)
  }

  /// An arena of zeros that a host's ranks share. Every rank must call this.
  /// - Throws: what the collective throws.
  public convenience init(_ layout: ParameterLayout, over collective: any Collective) throws {
    let zeros = try collective.makeNumbers(
      of: Float.self, count: layout.extent,
      for: "the \(layout.entries.count) tensors of a network")
    self.init(layout, in: zeros, owner: collective)
  }

  /// An arena in memory that somebody else owns, and that is zero, such as a window that other ranks see.
  /// - Parameter memory: `[layout.extent]`, on a cache line.
  public init(
    _ layout: ParameterLayout, in memory: UnsafeMutableBufferPointer<Float>, owner: AnyObject
  ) {
    precondition(memory.count == layout.extent)
    self.layout = layout
    values = memory
    self.owner = owner
  }

  /// A tensor's numbers, in row-major order.
  public func tensor(_ entry: ParameterLayout.Entry) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(rebasing: values[entry.offset..<entry.offset + entry.count])
  }

  /// A tensor as a matrix: `[shape[0], shape[1]]`, or `[1, shape[0]]` for a vector.
  public func matrix(_ entry: ParameterLayout.Entry) -> Matrix {
    Matrix(
      elements: values.baseAddress! + entry.offset,
      rows: entry.shape.count == 1 ? 1 : entry.shape[0], columns: entry.shape.last ?? 1)
  }
}

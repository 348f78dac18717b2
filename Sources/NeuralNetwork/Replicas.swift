import Matrices

/// Memory for what is the same on all ranks: weights and moments. Ranks that can, share it, and the work of updating it
/// (as ZeRO does between machines: Rajbhandari et al., SC'20).
public protocol Replicas: AnyObject {
  /// The next `count` numbers: zeros, on a cache line. Every rank must take the same ones in the same order.
  /// - Throws: `MemoryError`.
  func take<Number: Numeric & BitwiseCopyable>(
    _ type: Number.Type, count: Int
  ) throws -> UnsafeMutableBufferPointer<Number>
  /// Which of `count` numbers this rank writes: the shares of all ranks that share the memory are the whole.
  func share(of count: Int) -> Range<Int>
  /// Whether this rank is the first of those that share the memory: it speaks for them to others.
  var leads: Bool { get }
  /// Waits until the ranks that share the memory have written their shares. Every rank must call this.
  /// - Returns: whether `verdict` is true on all of them.
  func meet(_ verdict: Bool) throws -> Bool
}

extension Replicas {
  /// Lets one of the ranks that share the memory write all of it. Every rank must call this.
  public func write(_ body: () throws -> Void) throws {
    if !share(of: 1).isEmpty { try body() }
    _ = try meet(true)
  }
}

/// Memory of this rank alone: it writes everything itself.
public final class PrivateReplicas: Replicas {
  private let workspace = Workspace()

  public init() {}

  public func take<Number: Numeric & BitwiseCopyable>(
    _ type: Number.Type, count: Int
  ) throws -> UnsafeMutableBufferPointer<Number> {
    try workspace.zeros(of: type, count: count, for: "\(count) weights, moments or copies of them")
  }

  public func share(of count: Int) -> Range<Int> { 0..<count }
  public var leads: Bool { true }
  public func meet(_ verdict: Bool) -> Bool { verdict }
}

/// Which bytes go from which rank to which, and what is added up in between: pure, so that it can be tried for any
/// number of hosts without ranks.
///
/// A round's messages may be under way at the same time. Its additions follow when all of them have arrived; the next
/// round follows then.
public struct Schedule: Equatable, Sendable {
  /// Neighbouring bytes of one region of memory.
  public struct Piece: Equatable, Sendable {
    /// Which of the schedule's regions.
    public let region: Int
    public let bytes: Range<Int>

    public init(region: Int, bytes: Range<Int>) { (self.region, self.bytes) = (region, bytes) }
  }

  /// One message.
  public struct Message: Equatable, Sendable {
    /// Who gets it, or whom it comes from.
    public let rank: Int
    public let pieces: [Piece]

    public var byteCount: Int { pieces.reduce(0) { $0 + $1.bytes.count } }
  }

  /// `target += source`, or what else adds up two nodes of a sum; the target is the left one. Or a copy.
  public struct Addition: Equatable, Sendable {
    public let target, source: Piece
    /// Rows behind the two.
    public var (targetRows, sourceRows) = (0, 0)
    /// Whether the target becomes the source.
    public var isCopy = false

    init(_ target: Piece, _ source: Piece) { (self.target, self.source) = (target, source) }
  }

  public struct Round: Equatable, Sendable {
    public var sent: [Message] = []
    public var received: [Message] = []
    public var additions: [Addition] = []

    public var isEmpty: Bool { sent.isEmpty && received.isEmpty && additions.isEmpty }
  }

  /// An operation that all rounds together come to, of a group of ranks of which each host has one: a transport may
  /// have its own for it.
  public enum Operation: Equatable, Sendable {
    /// Numbers (float32) of all become their sum (MPI_Allreduce).
    case sum(Piece)
    /// Each host's bytes of region 0 reach all (MPI_Allgatherv). The hosts' leaders are the group.
    case gather(bytesOfHosts: [Range<Int>])
  }

  public let rounds: [Round]
  /// What the rounds come to, if it has a name.
  public let operation: Operation?

  /// - Parameters:
  ///   - rounds: those without messages and additions are left out.
  ///   - operation: what they come to, if it has a name.
  public init(rounds: [Round] = [], operation: Operation? = nil) {
    self.rounds = rounds.filter { !$0.isEmpty }
    self.operation = operation
  }

  public var isEmpty: Bool { rounds.isEmpty }

  /// Bytes that the rank sends.
  public var sentByteCount: Int {
    rounds.reduce(0) { $0 + $1.sent.reduce(0) { $0 + $1.byteCount } }
  }

  /// The ranks that this one exchanges messages with.
  public var peers: Set<Int> {
    Set(rounds.flatMap { $0.sent.map(\.rank) + $0.received.map(\.rank) })
  }
}

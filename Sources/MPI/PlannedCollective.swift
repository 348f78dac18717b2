import COpenMPI

/// A collective operation that is begun again and again on the same memory, and in which nobody waits inside MPI
/// (MPI-3.1 section 5.12).
///
/// Ranks must begin the operations of a communicator in the same order.
public final class PlannedCollective {
  /// Whether it is under way: then its memory belongs to MPI.
  public private(set) var isUnderWay = false
  private let name: String
  private let begin: (inout MPI_Request?) -> Int32
  private var request: MPI_Request? = MPI_REQUEST_NULL
  private let owner: AnyObject

  private init(
    _ name: String, owner: AnyObject, begin: @escaping (inout MPI_Request?) -> Int32
  ) {
    (self.name, self.owner, self.begin) = (name, owner, begin)
  }

  /// Numbers of all ranks become their sum, on all ranks, in an order that MPI chooses (MPI_Iallreduce). Every rank
  /// must call this.
  /// - Parameters:
  ///   - numbers: the same count on all ranks.
  ///   - owner: keeps their memory for as long as it lives.
  /// - Throws: ``MPIError`` for more numbers than an operation can have.
  public static func sum(
    of numbers: UnsafeMutableBufferPointer<Float>, owner: AnyObject, over communicator: Communicator
  ) throws -> PlannedCollective {
    let count = try messageCount(numbers.count, "MPI_Iallreduce")
    let handle = communicator.handle
    return PlannedCollective("MPI_Iallreduce of \(count) numbers", owner: owner) { request in
      MPI_Iallreduce(
        MPI_IN_PLACE, numbers.baseAddress, count, MPI_FLOAT, MPI_SUM, handle, &request)
    }
  }

  /// The bytes of each rank reach all ranks (MPI_Iallgatherv). Every rank must call this.
  /// - Parameters:
  ///   - bytesOfRanks: where in `memory` each rank's are; the same on all ranks.
  ///   - owner: keeps the memory for as long as it lives.
  /// - Throws: ``MPIError`` for more bytes than an operation can have.
  public static func gather(
    in memory: UnsafeMutableRawPointer, bytesOfRanks: [Range<Int>], owner: AnyObject,
    over communicator: Communicator
  ) throws -> PlannedCollective {
    precondition(bytesOfRanks.count == communicator.rankCount, "bytes of other ranks")
    // MPI reads both while the operation is under way.
    let counts = UnsafeMutableBufferPointer<Int32>.allocate(capacity: bytesOfRanks.count)
    let offsets = UnsafeMutableBufferPointer<Int32>.allocate(capacity: bytesOfRanks.count)
    for (rank, bytes) in bytesOfRanks.enumerated() {
      counts.initializeElement(at: rank, to: try messageCount(bytes.count, "MPI_Iallgatherv"))
      offsets.initializeElement(at: rank, to: try messageCount(bytes.lowerBound, "MPI_Iallgatherv"))
    }
    let handle = communicator.handle
    let lists = Lists(owner, counts, offsets)
    return PlannedCollective("MPI_Iallgatherv", owner: lists) { request in
      MPI_Iallgatherv(
        MPI_IN_PLACE, 0, MPI_BYTE, memory, counts.baseAddress, offsets.baseAddress, MPI_BYTE,
        handle, &request)
    }
  }

  /// What MPI reads beside an operation's memory.
  private final class Lists {
    private let owner: AnyObject
    private let lists: [UnsafeMutableBufferPointer<Int32>]

    init(_ owner: AnyObject, _ lists: UnsafeMutableBufferPointer<Int32>...) {
      (self.owner, self.lists) = (owner, lists)
    }

    deinit { for list in lists { list.deallocate() } }
  }

  deinit {
    // MPI may still use the memory, and to wait for ranks that may be gone would hang: it is given up.
    if isUnderWay { _ = Unmanaged.passRetained(owner) }
  }

  /// Begins the operation. Every rank must call this.
  /// - Throws: ``MPIError``.
  public func start() throws {
    precondition(!isUnderWay, "an operation begun twice")
    isUnderWay = true
    try check(begin(&request), name)
  }

  /// Whether this rank's part is done (MPI_Test); true too if none is under way.
  /// - Throws: ``MPIError``.
  public func isComplete() throws -> Bool {
    guard isUnderWay else { return true }
    var flag: Int32 = 0
    try check(MPI_Test(&request, &flag, MPI_STATUS_IGNORE), name)
    if flag != 0 { isUnderWay = false }
    return flag != 0
  }
}

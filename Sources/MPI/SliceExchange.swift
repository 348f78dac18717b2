import COpenMPI

/// The two movements of an all-reduce, planned once for fixed memory: every rank gets its slice of all
/// ranks' buffers; later every rank gets all finished slices.
///
/// MPI moves the bytes; who adds them up, and in which order, is the caller's business. Each movement is begun
/// and finished by calls of its own, so that work can go on in between (MPI-3.1 section 5.12).
public final class SliceExchange {
  /// Whose slice is where in the buffer.
  public let partition: Partition
  /// `[ranks, slice]`: this rank's slice of all ranks' buffers, after ``finishCollecting()``.
  public let slices: UnsafeMutableBufferPointer<Float>
  private let buffer: UnsafeMutableBufferPointer<Float>
  private let communicator: Communicator
  private let arrivals: Partition
  private var request: MPI_Request? = MPI_REQUEST_NULL

  /// - Parameter buffer: has the same size on every rank, and must outlive the exchange.
  /// - Throws: ``MPIError`` for more elements than one message can name.
  public init(
    of buffer: UnsafeMutableBufferPointer<Float>, over communicator: Communicator
  ) throws {
    self.buffer = buffer
    self.communicator = communicator
    partition = try Partition(count: buffer.count, rankCount: communicator.rankCount)
    let ownCount = partition.counts[communicator.rank]
    arrivals = Partition(counts: Array(repeating: ownCount, count: communicator.rankCount))
    _ = try messageCount(Int(ownCount) * communicator.rankCount, "MPI_Ialltoallv")
    slices = .allocate(capacity: max(1, Int(ownCount) * communicator.rankCount))
    slices.initialize(repeating: 0)
  }

  deinit {
    // A request that was begun owns the memory until it is done.
    if request != MPI_REQUEST_NULL { MPI_Wait(&request, MPI_STATUS_IGNORE) }
    slices.deallocate()
  }

  /// Begins to collect this rank's slice from all ranks (MPI_Ialltoallv). Every rank must call this.
  public func startCollecting() throws {
    precondition(request == MPI_REQUEST_NULL, "an exchange begun twice")
    try check(
      MPI_Ialltoallv(
        buffer.baseAddress, partition.counts, partition.offsets, Float.datatype,
        slices.baseAddress, arrivals.counts, arrivals.offsets, Float.datatype,
        communicator.handle, &request),
      "MPI_Ialltoallv")
  }

  /// Waits for the slices. Every rank must call this.
  public func finishCollecting() throws {
    try check(MPI_Wait(&request, MPI_STATUS_IGNORE), "MPI_Wait for MPI_Ialltoallv")
  }

  /// Gives this rank's slice of the buffer to all ranks, and takes theirs (MPI_Allgatherv). Every rank must call this.
  public func distribute() throws {
    try check(
      MPI_Allgatherv(
        MPI_IN_PLACE, 0, Float.datatype, buffer.baseAddress, partition.counts, partition.offsets,
        Float.datatype, communicator.handle),
      "MPI_Allgatherv")
  }
}

import COpenMPI

/// Small messages between single ranks, beside all other traffic: on a communicator of their own.
///
/// Nobody waits here: what was sent may never be received, and nothing may have come.
public final class Mailbox {
  /// Numbers in a message.
  public static let capacity = 12
  private let communicator: MPI_Comm
  private var outgoing: [OutgoingMessage] = []

  /// Duplicates the communicator (MPI_Comm_dup, MPI-3.1 section 6.4.2). Every rank must call this.
  /// - Throws: ``MPIError``.
  public init(_ original: Communicator) throws {
    var copy: MPI_Comm? = MPI_COMM_NULL
    try check(MPI_Comm_dup(original.handle, &copy), "MPI_Comm_dup")
    guard let copy else { throw MPIError(code: MPI_ERR_COMM, call: "MPI_Comm_dup") }
    // Freeing it would be collective, and not all ranks may be there then: MPI_Finalize does it.
    communicator = copy
    try check(MPI_Comm_set_errhandler(copy, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler")
  }

  /// Sends up to ``capacity`` numbers to a rank, without waiting for it (MPI_Isend).
  /// - Throws: ``MPIError``.
  public func send(_ numbers: [Int], to rank: Int) throws {
    precondition(numbers.count <= Self.capacity, "a message too long")
    outgoing.removeAll { $0.isSent }
    let message = OutgoingMessage(numbers)
    outgoing.append(message)
    try check(
      MPI_Isend(
        message.numbers.baseAddress, Int32(Self.capacity), Int.datatype, Int32(rank), 0,
        communicator, &message.request),
      "MPI_Isend to rank \(rank)")
  }

  /// A message that has come, and from which rank; nil if there is none (MPI_Iprobe).
  /// - Throws: ``MPIError``.
  public func receive() throws -> (rank: Int, numbers: [Int])? {
    var (flag, status): (Int32, MPI_Status) = (0, MPI_Status())
    try check(MPI_Iprobe(MPI_ANY_SOURCE, 0, communicator, &flag, &status), "MPI_Iprobe")
    guard flag != 0 else { return nil }
    var numbers = [Int](repeating: 0, count: Self.capacity)
    try check(
      MPI_Recv(
        &numbers, Int32(Self.capacity), Int.datatype, status.MPI_SOURCE, 0, communicator, &status),
      "MPI_Recv from rank \(status.MPI_SOURCE)")
    return (Int(status.MPI_SOURCE), numbers)
  }
}

/// A message with the memory that MPI sends it from.
private final class OutgoingMessage {
  let numbers = UnsafeMutableBufferPointer<Int>.allocate(capacity: Mailbox.capacity)
  var request: MPI_Request? = MPI_REQUEST_NULL

  init(_ numbers: [Int]) {
    self.numbers.initialize(repeating: 0)
    for (index, number) in numbers.enumerated() { self.numbers[index] = number }
  }

  // What is not sent yet still needs its memory: it is given up.
  deinit { if isSent { numbers.deallocate() } }

  var isSent: Bool {
    var flag: Int32 = 0
    return request == MPI_REQUEST_NULL
      || (MPI_Test(&request, &flag, MPI_STATUS_IGNORE) == MPI_SUCCESS && flag != 0)
  }
}

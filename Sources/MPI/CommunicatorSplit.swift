import COpenMPI

/// Communicators of some of the ranks (MPI-3.1 section 6.4.2).
///
/// To free one is collective, and not all ranks may be there then: MPI_Finalize does it.
extension Communicator {
  /// The ranks that can share memory with this one, in this communicator's order (MPI_Comm_split_type). Every rank must
  /// call this.
  /// - Throws: ``MPIError``.
  public func splitByHost() throws -> Communicator {
    var part: MPI_Comm? = MPI_COMM_NULL
    try check(
      MPI_Comm_split_type(handle, Int32(MPI_COMM_TYPE_SHARED), Int32(rank), MPI_INFO_NULL, &part),
      "MPI_Comm_split_type")
    guard let part else { throw MPIError(code: MPI_ERR_COMM, call: "MPI_Comm_split_type") }
    return try Communicator(part: part, startWatch)
  }

  /// The ranks that are members, in this communicator's order; nil on all others (MPI_Comm_split). Every rank must call
  /// this.
  /// - Throws: ``MPIError``.
  public func split(isMember: Bool) throws -> Communicator? {
    var part: MPI_Comm? = MPI_COMM_NULL
    try check(
      MPI_Comm_split(handle, isMember ? 0 : MPI_UNDEFINED, Int32(rank), &part), "MPI_Comm_split")
    guard isMember else { return nil }
    guard let part else { throw MPIError(code: MPI_ERR_COMM, call: "MPI_Comm_split") }
    return try Communicator(part: part, startWatch)
  }

  /// The ranks that give the same color, in this communicator's order (MPI_Comm_split). Every rank must call this.
  /// - Throws: ``MPIError``.
  public func split(color: Int) throws -> Communicator {
    var part: MPI_Comm? = MPI_COMM_NULL
    try check(MPI_Comm_split(handle, Int32(color), Int32(rank), &part), "MPI_Comm_split")
    guard let part else { throw MPIError(code: MPI_ERR_COMM, call: "MPI_Comm_split") }
    return try Communicator(part: part, startWatch)
  }

  private init(part: MPI_Comm, _ startWatch: StartWatch?) throws {
    try check(MPI_Comm_set_errhandler(part, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler")
    try self.init(part, startWatch)
  }
}

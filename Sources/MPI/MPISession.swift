import COpenMPI
import Glibc

/// From MPI_Init to MPI_Finalize (MPI-3.1 section 8.7), or to MPI_Abort if something is thrown.
public enum MPISession {
  /// Runs `body` on every rank and returns what it returned.
  ///
  /// Finalize is collective and would wait for ranks that threw, so an error ends the job by MPI_Abort instead.
  ///
  /// - Parameters:
  ///   - explain: says to people what went wrong and returns the exit status of the job. It is called on
  ///     the rank that threw; the communicator is nil if MPI itself could not start.
  ///   - body: gets all ranks. Every rank must run it.
  public static func run<Result>(
    placement: ProcessPlacement, explain: (any Error, Communicator?) -> Int32,
    _ body: (Communicator) throws -> Result
  ) -> Result {
    prepareEnvironment(placement)
    var world: Communicator?
    do {
      var provided: Int32 = 0
      try check(MPI_Init_thread(nil, nil, Int32(MPI_THREAD_FUNNELED), &provided), "MPI_Init_thread")
      let communicator = try Communicator(MPI_COMM_WORLD)
      world = communicator
      try check(
        MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler")
      let result = try body(communicator)
      try check(MPI_Finalize(), "MPI_Finalize")
      return result
    } catch {
      let status = explain(error, world)
      guard world != nil else { exit(status) }
      MPI_Abort(MPI_COMM_WORLD, status)
      exit(status)
    }
  }

  /// Settings that Open MPI reads when it starts; what the user set stands.
  private static func prepareEnvironment(_ placement: ProcessPlacement) {
    // A process without mpirun needs neither a helper daemon nor a network.
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0)
    // Open MPI believes the hostfile's slots; where there are fewer processors, spinning ranks starve the others.
    if placement.isOversubscribed { setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0) }
  }

  /// Such as "Open MPI v4.1.4".
  public static var libraryVersion: String {
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING) + 1)
    var length: Int32 = 0
    guard MPI_Get_library_version(&text, &length) == MPI_SUCCESS else { return "MPI" }
    let whole = String(
      decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return String(whole.prefix { $0 != "," && $0 != "\0" })
  }

  /// The name of this host as MPI has it.
  public static var hostName: String {
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_PROCESSOR_NAME) + 1)
    var length: Int32 = 0
    guard MPI_Get_processor_name(&text, &length) == MPI_SUCCESS else { return "unknown host" }
    return String(decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

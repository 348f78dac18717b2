import COpenMPI
import Glibc
import Processors

/// From MPI_Init to MPI_Finalize (MPI-3.1 section 8.7), or to MPI_Abort if something is thrown.
public enum MPISession {
  /// How a job ends that failed.
  public struct Failure {
    public let status: Int32
    let isSeenByAll: Bool

    /// - Parameters:
    ///   - status: the exit status of the job.
    ///   - isSeenByAll: whether every rank throws at the same place: then all can end in good order, without a word of
    ///     MPI's.
    public init(status: Int32, isSeenByAll: Bool) {
      (self.status, self.isSeenByAll) = (status, isSeenByAll)
    }
  }

  /// Runs `body` on every rank and returns what it returned.
  ///
  /// Finalize is collective and would wait for ranks that go on: an error of this rank alone ends the job by MPI_Abort.
  ///
  /// - Parameters:
  ///   - startWatch: ends the job if ranks do not find each other; nil to wait for ever.
  ///   - explain: says to people what went wrong and how the job ends. It is called on the rank that threw; the
  ///     communicator is nil if MPI itself could not start.
  ///   - body: gets all ranks. Every rank must run it.
  public static func run<Result>(
    startWatch: StartWatch? = nil, explain: (any Error, Communicator?) -> Failure,
    _ body: (Communicator) throws -> Result
  ) -> Result {
    prepareEnvironment()
    var world: Communicator?
    do {
      var provided: Int32 = 0
      try startWatch.wait(for: nil) {
        try check(
          MPI_Init_thread(nil, nil, Int32(MPI_THREAD_FUNNELED), &provided), "MPI_Init_thread")
      }
      let communicator = try Communicator(MPI_COMM_WORLD, startWatch)
      world = communicator
      guard provided >= Int32(MPI_THREAD_FUNNELED) else {
        throw MPIError(
          code: MPI_ERR_OTHER,
          call:
            "MPI_Init_thread (this MPI does not let a program have threads: MPI_THREAD_FUNNELED)")
      }
      try check(
        MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler")
      try communicator.connectForCollectives()
      let result = try body(communicator)
      try check(MPI_Finalize(), "MPI_Finalize")
      return result
    } catch {
      let failure = explain(error, world)
      guard let world else { exit(failure.status) }
      if failure.isSeenByAll || world.rankCount == 1 {
        MPI_Finalize()
      } else {
        MPI_Abort(MPI_COMM_WORLD, failure.status)
      }
      exit(failure.status)
    }
  }

  /// Settings that Open MPI reads when it starts; what the user set stands.
  private static func prepareEnvironment() {
    // A process without mpirun needs neither a helper daemon nor a network.
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0)
    // Containers often forbid a process to read another's memory, and Open MPI then complains at every message. Ranks
    // of a host share memory for all that is large, so nothing is lost without it.
    setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0)
    // Rows for other hosts leave at once, up to this size. Else they wait until the receiver has asked for them, and it
    // asks only when it calls MPI, between two products.
    for name in ["eager_limit", "max_send_size"] {
      setenv("OMPI_MCA_btl_tcp_\(name)", String(256 << 10), 0)
    }
    if let exclusion = LocalNetworks.exclusion(LocalNetworks.interfaces), !LocalNetworks.areChosen {
      setenv("OMPI_MCA_btl_tcp_if_exclude", exclusion, 0)
    }
    // Open MPI believes the hostfile's slots; where there are fewer processors, spinning ranks starve the others. (A
    // rank that is bound to a processor of its own yields, too, to nobody: training does not wait inside MPI.)
    let ranksOnHost = getenv("OMPI_COMM_WORLD_LOCAL_SIZE").flatMap { Int(String(cString: $0)) } ?? 1
    if ranksOnHost > ProcessorSet.ofThisProcess().numbers.count {
      setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0)
    }
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

import COpenMPI
import Glibc

/// Memory that all ranks of a host see: one segment a rank, in each process at an address of its own
/// (MPI-3.1 section 11.2.3).
///
/// Ranks use it as their own memory. What one rank wrote another may read after ``synchronize()``, or after whatever
/// else orders the two: messages, atomic operations.
public final class SharedWindow {
  private let host: Communicator
  private let segments: [UnsafeMutableRawBufferPointer]
  /// Nil where a rank is alone on its host and needs none.
  private let window: MPI_Win?

  /// Makes a segment of zeros for each rank, on pages of its own. Every rank of the host must call this.
  /// - Parameters:
  ///   - byteCount: the size of this rank's segment; may be 0, and another one on each rank.
  ///   - host: ranks of one host (``Communicator/splitByHost()``).
  /// - Throws: ``SharedMemoryError``, on all ranks of the host alike; ``MPIError``.
  public init(byteCount: Int, over host: Communicator) throws {
    self.host = host
    let byteCounts = try host.allGather(byteCount)
    if host.rankCount == 1 {
      segments = [try Self.privateZeros(byteCount: byteCount)]
      window = nil
      return
    }
    // Rank 0 makes the file. If that failed inside MPI, the other ranks would wait there for ever.
    let refusal = try Self.refusal(ofSegments: byteCounts, on: host)
    if refusal.freeByteCount < refusal.neededByteCount { throw refusal }
    var window = try Self.allocate(byteCount: byteCount, over: host)
    let segments = try byteCounts.enumerated().map { rank, byteCount in
      try Self.segment(ofRank: rank, byteCount: byteCount, in: window)
    }
    let isThere = SharedMemoryFolder.populate(segments[host.rank])
    guard try host.allGather(isThere ? 1 : 0).allSatisfy({ $0 == 1 }) else {
      // Others have taken it meanwhile.
      let refusal = try Self.refusal(ofSegments: byteCounts, on: host)
      try check(MPI_Win_free(&window), "MPI_Win_free")
      throw refusal
    }
    // A file of this name may have been left by another job.
    segments[host.rank].initializeMemory(as: UInt8.self, repeating: 0)
    // MPI_Win_sync wants an epoch: one for good.
    try check(MPI_Win_lock_all(MPI_MODE_NOCHECK, window), "MPI_Win_lock_all")
    self.segments = segments
    self.window = window
    try synchronize()
  }

  // To free a window is collective, and not all ranks may be there then: its memory goes with the processes.
  deinit {
    if window == nil { munmap(segments[0].baseAddress, max(segments[0].count, 1)) }
  }

  /// A rank's segment at its address in this process: every rank may read it and write to it.
  public func segment(ofRank rank: Int) -> UnsafeMutableRawBufferPointer { segments[rank] }

  /// Waits for all ranks of the host, and shows each what the others have written (MPI_Win_sync, MPI_Barrier). Every
  /// rank of the host must call this.
  /// - Throws: ``MPIError``.
  public func synchronize() throws {
    guard let window else { return }
    try check(MPI_Win_sync(window), "MPI_Win_sync")
    try host.barrier()
    try check(MPI_Win_sync(window), "MPI_Win_sync")
  }

  /// What to throw if there is not enough; the same on all ranks.
  private static func refusal(
    ofSegments byteCounts: [Int], on host: Communicator
  ) throws -> SharedMemoryError {
    let folder = SharedMemoryFolder()
    let free = try host.broadcast(folder.freeByteCount, from: 0)
    return SharedMemoryError(
      host: MPISession.hostName,
      neededByteCount: SharedMemoryFolder.neededByteCount(forSegmentsOf: byteCounts),
      freeByteCount: free,
      reason: """
        \(folder.path) has \(free) free. Enlarge it (docker run --shm-size=1g), remove what was left in it, or \
        name another folder in the environment variable OMPI_MCA_osc_sm_backing_directory
        """)
  }

  private static func allocate(byteCount: Int, over host: Communicator) throws -> MPI_Win? {
    var (info, window): (MPI_Info?, MPI_Win?) = (MPI_INFO_NULL, nil)
    try check(MPI_Info_create(&info), "MPI_Info_create")
    defer { MPI_Info_free(&info) }
    // No page is shared by two segments, and a page more lets each begin on a page.
    try check(MPI_Info_set(info, "alloc_shared_noncontig", "true"), "MPI_Info_set")
    let roomy = byteCount == 0 ? 0 : byteCount + SharedMemoryFolder.pageByteCount
    var base: UnsafeMutableRawPointer?
    try check(
      MPI_Win_allocate_shared(roomy, 1, info, host.handle, &base, &window),
      "MPI_Win_allocate_shared of \(roomy) bytes")
    try check(MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN), "MPI_Win_set_errhandler")
    return window
  }

  private static func segment(
    ofRank rank: Int, byteCount: Int, in window: MPI_Win?
  ) throws -> UnsafeMutableRawBufferPointer {
    var (size, unit): (MPI_Aint, Int32) = (0, 0)
    var base: UnsafeMutableRawPointer?
    try check(
      MPI_Win_shared_query(window, Int32(rank), &size, &unit, &base),
      "MPI_Win_shared_query of rank \(rank)")
    // A file is mapped in whole pages: the first page to begin is the same in every process.
    return UnsafeMutableRawBufferPointer(
      start: base?.alignedUp(toMultipleOf: SharedMemoryFolder.pageByteCount), count: byteCount)
  }

  private static func privateZeros(byteCount: Int) throws -> UnsafeMutableRawBufferPointer {
    let memory = mmap(
      nil, max(byteCount, 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else {
      throw SharedMemoryError(
        host: MPISession.hostName, neededByteCount: byteCount, freeByteCount: 0,
        reason: String(cString: strerror(errno)))
    }
    return UnsafeMutableRawBufferPointer(start: memory, count: byteCount)
  }
}

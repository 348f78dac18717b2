import Glibc

/// Where Open MPI puts the files behind shared memory, on this host.
struct SharedMemoryFolder {
  /// As the system takes it: bytes that need not be text.
  private let bytes: [CChar]

  /// For people.
  var path: String {
    bytes.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
  }

  /// Open MPI's parameter osc_sm_backing_directory and its default (4.1: /dev/shm, else the session's folder).
  init() {
    func named(_ variable: String) -> [CChar]? {
      guard let value = getenv(variable), value.pointee != 0 else { return nil }
      return Array(UnsafeBufferPointer(start: value, count: strlen(value) + 1))
    }
    let usual =
      access("/dev/shm", W_OK) == 0
      ? Array("/dev/shm".utf8CString)
      : ["TMPDIR", "TEMP", "TMP"].compactMap(named).first ?? Array("/tmp".utf8CString)
    bytes = named("OMPI_MCA_osc_sm_backing_directory") ?? usual
  }

  /// Bytes that a file can still take; 0 if the folder cannot be asked.
  var freeByteCount: Int {
    var status = statvfs()
    guard statvfs(bytes, &status) == 0 else { return 0 }
    let (free, overflow) = Int(clamping: status.f_bavail)
      .multipliedReportingOverflow(by: Int(clamping: status.f_frsize))
    return overflow ? .max : free
  }

  /// Bytes of a page of memory.
  static let pageByteCount = Int(getpagesize())

  /// Bytes that must be free for segments of these sizes, each with up to two pages around it.
  ///
  /// Open MPI adds what it keeps for itself, and wants 5% more to be free than it takes.
  static func neededByteCount(forSegmentsOf byteCounts: [Int]) -> Int {
    let (most, margin) = (Int.max / 2, 2 * pageByteCount)
    let whole = byteCounts.reduce(16 * pageByteCount) { sum, byteCount in
      byteCount < most - sum - margin ? sum + byteCount + margin : most
    }
    return whole + whole / 20
  }

  /// Takes the memory of a segment, which begins a page, now; tells whether there was enough.
  ///
  /// The file behind a window is sparse: what other processes took in the meantime would be missed only when it is
  /// written to, and the process would die of it (SIGBUS).
  static func populate(_ segment: UnsafeMutableRawBufferPointer) -> Bool {
    // EINVAL: kernels before 5.14 cannot do this.
    segment.isEmpty || madvise(segment.baseAddress, segment.count, MADV_POPULATE_WRITE) == 0
      || errno == EINVAL
  }
}

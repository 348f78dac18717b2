import COpenMPI

/// A call of MPI that failed: the code, the call, MPI's own words, and where.
public struct MPIError: Error, CustomStringConvertible {
  public let code: Int32
  public let call: String
  /// The library's text for the code (MPI_Error_string, MPI-3.1 section 8.3).
  public let reason: String

  init(code: Int32, call: String) {
    self.code = code
    self.call = call
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
    var (length, isInitialized): (Int32, Int32) = (0, 0)
    // Before MPI_Init only a few calls are allowed, and this is one of them.
    MPI_Initialized(&isInitialized)
    reason =
      isInitialized != 0 && MPI_Error_string(code, &text, &length) == MPI_SUCCESS
      ? String(decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
      : "MPI gives no reason"
  }

  public var description: String { "\(call) failed with code \(code): \(reason)" }
}

/// The one door to MPI's return codes.
@inline(__always)
func check(_ code: Int32, _ call: @autoclosure () -> String) throws {
  if code != MPI_SUCCESS { throw MPIError(code: code, call: call()) }
}

/// A count as MPI takes it.
/// - Throws: ``MPIError`` (MPI_ERR_COUNT) for more elements than one message can name.
@inline(__always)
func messageCount(_ count: Int, _ call: @autoclosure () -> String) throws -> Int32 {
  guard let count = Int32(exactly: count) else { throw MPIError(code: MPI_ERR_COUNT, call: call()) }
  return count
}

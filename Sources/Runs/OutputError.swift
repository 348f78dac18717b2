import Glibc

/// Standard output that did not take a command's result.
package struct OutputError: Error, CustomStringConvertible {
  /// The system's error number.
  let code: Int32

  /// Whether the reader wanted no more, such as `head`: nobody needs to be told.
  package var isOfAReaderThatLeft: Bool { code == EPIPE }

  package var description: String {
    code == EBADF
      ? "cannot write to standard output: it is closed"
      : "cannot write to standard output: \(String(cString: strerror(code)))"
  }
}

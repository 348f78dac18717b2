import Files
import Glibc

/// Standard output and standard error, unbuffered: the program's one door to a terminal.
package enum Console: Int32 {
  case output = 1
  case error = 2

  /// Says the text to people; a reader that went away is not worth a failed run.
  package func say(_ text: String) {
    _ = Self.writeAll(text.escapedForTerminalByLine, to: rawValue)
  }

  /// Writes what a command was asked for to standard output.
  /// - Throws: ``OutputError`` if it does not all get there.
  package static func deliver(_ result: String) throws(OutputError) {
    guard writeAll(result.escapedForTerminalByLine, to: output.rawValue) else {
      throw OutputError(code: errno)
    }
  }

  /// Writes text that moves the terminal's cursor, to standard output.
  static func draw(_ text: String) { _ = writeAll(text, to: output.rawValue) }

  /// Writes the whole text to a descriptor; false (and `errno`) if it cannot.
  static func writeAll(_ text: String, to descriptor: Int32) -> Bool {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
      }
      switch (count, errno) {
      case (1..., _): written += count
      case (0, _):
        errno = EIO
        return false
      case (_, EINTR): continue
      // Whoever started the program left it a pipe that does not wait by itself. (A file of the run does not wait at
      // all: a pipe in its place may have a reader that never reads.)
      case (_, EAGAIN) where descriptor <= error.rawValue: waitUntilWritable(descriptor)
      default: return false
      }
    }
    return true
  }

  /// Sleeps until the reader has made room or is gone.
  private static func waitUntilWritable(_ descriptor: Int32) {
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = poll(&request, 1, -1)
  }
}

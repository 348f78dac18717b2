import Glibc

/// Standard output and standard error, unbuffered.
enum Console: Int32 {
  case output = 1
  case error = 2

  /// Writes the text; a reader that went away is not worth a failed run.
  func write(_ text: String) { _ = Self.writeAll(text, to: rawValue) }

  /// Writes the whole text to a descriptor; false (and `errno`) if it cannot.
  static func writeAll(_ text: String, to descriptor: Int32) -> Bool {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
      }
      if count < 0 && errno != EINTR { return false }
      written += max(count, 0)
    }
    return true
  }
}

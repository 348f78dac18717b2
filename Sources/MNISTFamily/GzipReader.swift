import CZlib
import Glibc

/// Reads a file's content, plain or gzipped: the one place that calls zlib.
///
/// As `gunzip` does, it passes over bytes after the last gzip member that are no gzip stream.
struct GzipReader: ~Copyable {
  /// Why content could not be read.
  enum Failure: Error, Equatable {
    case cannotOpen(reason: String)
    case cannotRead(reason: String)
    case noMemory
    case streamEndsEarly
    case streamDamaged(reason: String)
  }

  /// Bytes one read asks for: from twice zlib's buffer on, zlib inflates without a copy.
  static let chunkByteCount = 2 * bufferByteCount
  private static let bufferByteCount = 128 << 10

  private let file: gzFile

  /// Opens `path` for reading.
  init(path: String) throws(Failure) {
    errno = 0
    guard let file = gzopen(path, "rb") else {
      if errno == 0 || errno == ENOMEM { throw .noMemory }
      throw .cannotOpen(reason: String(cString: strerror(errno)))
    }
    self.file = file
    // A refused buffer size leaves zlib's smaller default, which reads the same bytes.
    _ = gzbuffer(file, UInt32(Self.bufferByteCount))
  }

  deinit {
    _ = gzclose_r(file)
  }

  /// Bytes of uncompressed content delivered so far.
  var position: Int { gztell(file) }

  /// Fills `buffer` as far as the content goes; fewer bytes than asked for mean its end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    var filled = 0
    while filled < buffer.count {
      let asked = min(buffer.count - filled, Self.chunkByteCount)
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let got = Int(gzread(file, rest.baseAddress, UInt32(asked)))
      // zlib reports a stream that ends early only here: gzread just returns fewer bytes.
      if got < asked { try checkState() }
      guard got >= 0 else { throw .cannotRead(reason: "zlib gave no reason") }
      filled += got
      if got < asked { break }
    }
    return filled
  }

  /// Closes the file, which tells whether the last stream was read to its end.
  consuming func close() throws(Failure) {
    let code = gzclose_r(file)
    let reason = String(cString: strerror(errno))
    discard self
    try Self.check(code, reason: code == Z_ERRNO ? reason : "zlib code \(code)")
  }

  private func checkState() throws(Failure) {
    var code = Z_OK
    // The text is "PATH: REASON"; the path is said elsewhere.
    let text = gzerror(file, &code).map { String(cString: $0) } ?? ""
    let reason = text.split(separator: ": ").last.map(String.init) ?? "zlib code \(code)"
    try Self.check(code, reason: reason)
  }

  private static func check(_ code: Int32, reason: String) throws(Failure) {
    switch code {
    case Z_OK, Z_STREAM_END: return
    case Z_BUF_ERROR: throw .streamEndsEarly
    case Z_MEM_ERROR: throw .noMemory
    case Z_DATA_ERROR, Z_NEED_DICT: throw .streamDamaged(reason: reason)
    default: throw .cannotRead(reason: reason)
    }
  }
}

import Glibc

/// The content of one regular file, read whole into memory that stays where it is.
public final class InputFile {
  /// The file read, as the caller named it.
  public let path: String
  /// The whole content; valid as long as this object is.
  public let bytes: UnsafeRawBufferPointer

  private let memory: UnsafeMutableRawBufferPointer

  /// Reads the regular file at `path`, which must not have more than `maximumByteCount` bytes.
  ///
  /// Memory is allocated once, for the file's size. The content is copied rather than mapped: a
  /// mapped file that someone shortens kills the process that reads it.
  /// - Throws: `FileError` if it is no regular file, is too large, changes or cannot be read.
  public convenience init(path: String, maximumByteCount: Int = .max) throws(FileError) {
    guard !path.utf8.contains(0) else {
      throw FileError(path: path, call: .open, reason: "its name contains a NUL")
    }
    // Opening a pipe would wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw FileError(path: path, call: .open, code: errno) }
    defer { close(descriptor) }
    let byteCount = try Self.byteCount(descriptor, path)
    guard byteCount <= maximumByteCount else {
      throw FileError(
        path: path, call: .read,
        reason: "it has \(byteCount) bytes, more than the \(maximumByteCount) expected at most")
    }
    try self.init(path: path, byteCount: byteCount)
    try fill(from: descriptor)
  }

  /// Takes content that is in memory already, by copying it.
  /// - Throws: `FileError` if memory has no room for it.
  public convenience init(
    copying bytes: UnsafeRawBufferPointer, path: String
  ) throws(FileError) {
    try self.init(path: path, byteCount: bytes.count)
    memory.copyMemory(from: bytes)
  }

  private init(path: String, byteCount: Int) throws(FileError) {
    guard let base = malloc(max(byteCount, 1)) else {
      throw .noMemory(path, byteCount: byteCount)
    }
    self.path = path
    memory = UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    bytes = UnsafeRawBufferPointer(memory)
  }

  deinit {
    free(memory.baseAddress)
  }

  private static func byteCount(_ descriptor: Int32, _ path: String) throws(FileError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileError(path: path, call: .examine, code: errno)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return Int(status.st_size)
    case S_IFDIR: throw FileError(path: path, call: .read, reason: "it is a folder")
    default: throw FileError(path: path, call: .read, reason: "it is no regular file")
    }
  }

  private func fill(from descriptor: Int32) throws(FileError) {
    var filled = 0
    while filled < memory.count {
      let got = try Self.read(
        descriptor, into: UnsafeMutableRawBufferPointer(rebasing: memory[filled...]), path)
      guard got > 0 else {
        throw FileError(
          path: path, call: .read,
          reason: "it ended after \(filled) of its \(memory.count) bytes: it is being changed")
      }
      filled += got
    }
    let isLonger = try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) {
      (extra) throws(FileError) in try Self.read(descriptor, into: extra, path) > 0
    }
    guard !isLonger else {
      throw FileError(
        path: path, call: .read,
        reason: "it has more than the \(memory.count) bytes of its size: it is being changed")
    }
  }

  private static func read(
    _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, _ path: String
  ) throws(FileError) -> Int {
    while true {
      let got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if got >= 0 { return got }
      guard errno == EINTR else { throw FileError(path: path, call: .read, code: errno) }
    }
  }
}

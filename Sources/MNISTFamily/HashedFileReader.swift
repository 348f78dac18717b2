import Files

/// Reads one file from its beginning, hashes what it reads, and says failures with path and byte.
struct HashedFileReader: ~Copyable {
  private let path: String
  private let reader: GzipReader
  private var hasher = ContentDigest.Hasher()

  /// Bytes of uncompressed content read so far.
  private(set) var position = 0

  /// Opens the regular file at `path`, plain or gzipped.
  /// - Throws: `DataSetError.missing` if it is not there or cannot be read.
  init(path: String) throws(DataSetError) {
    // Opening a pipe would wait for ever, and a folder opens but does not read.
    switch FileStatus(path: path) {
    case .file: break
    case .folder: throw .unreadable(path, reason: "it is a folder")
    case .other: throw .unreadable(path, reason: "it is no regular file")
    case .absent:
      throw DataSetError(
        kind: .missing, path: path,
        message: "no such file. To get the data: \(DataSetError.waysToGetTheData)")
    case .unreachable(let reason): throw .unreadable(path, reason: reason)
    }
    do {
      reader = try GzipReader(path: path)
    } catch {
      throw Self.error(error, path: path, offset: 0)
    }
    self.path = path
  }

  /// Fills `buffer` as far as the content goes; fewer bytes than asked for mean its end.
  /// - Throws: `DataSetError` if the file cannot be read or its gzip stream is damaged or cut.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(DataSetError) -> Int {
    let got: Int
    do {
      got = try reader.read(into: buffer)
    } catch {
      throw Self.error(error, path: path, offset: reader.position)
    }
    hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
    position += got
    return got
  }

  /// Closes the file.
  /// - Returns: the digest of all that was read.
  /// - Throws: `DataSetError` if zlib finds at the end that the file was not read well.
  consuming func finish() throws(DataSetError) -> ContentDigest {
    let (path, position) = (path, position)
    do {
      try reader.close()
    } catch {
      throw Self.error(error, path: path, offset: position)
    }
    return hasher.finish()
  }

  private static func error(
    _ failure: GzipReader.Failure, path: String, offset: Int
  ) -> DataSetError {
    switch failure {
    case .cannotOpen(let reason), .cannotRead(let reason):
      return .unreadable(path, reason: reason)
    case .noMemory: return .noMemory(path, byteCount: GzipReader.chunkByteCount)
    case .streamEndsEarly:
      return .broken(
        path, atByte: offset, expected: "the rest of the gzip stream", found: "the end of the file")
    case .streamDamaged(let reason):
      return .broken(
        path, atByte: offset, expected: "a sound gzip stream",
        found: "a damaged one (\(reason))")
    }
  }
}

import Files

/// One IDX file of unsigned bytes, plain or gzipped, read whole and checked.
public struct IDXFile: ~Copyable {
  /// What an IDX file of the MNIST family holds; the raw value is the file's magic number.
  public enum Content: UInt32, Sendable, CustomStringConvertible {
    /// Pixels `[count, rows, columns]`.
    case images = 0x0000_0803
    /// Labels `[count]`.
    case labels = 0x0000_0801

    /// `images` or `labels`.
    public var description: String { dimensionNames[0] }

    /// What each dimension counts.
    var dimensionNames: [String] { self == .images ? ["images", "rows", "columns"] : ["labels"] }

    /// 3 for images, 1 for labels.
    var dimensionCount: Int { dimensionNames.count }
  }

  /// The file read.
  public let path: String
  /// SHA-256 of the whole uncompressed file, header included.
  public let digest: ContentDigest
  let header: IDXHeader
  let storage: ByteStorage

  /// What the file holds.
  public var content: Content { header.content }

  /// `[count, rows, columns]` of images, `[count]` of labels.
  public var dimensions: [Int] { header.dimensions }

  /// Lends the content behind the header, in the file's order.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(storage.bytes)
  }

  /// Reads the file at `path` and checks all of it.
  /// - Throws: `DataSetError`, `.missing` if it cannot be read, `.broken` if its content is wrong.
  public init(path: String, expecting content: Content) throws(DataSetError) {
    var file = try HashedFileReader(path: path)
    let header = try Self.readHeader(&file, expecting: content, path: path)
    let storage = try Self.readContent(&file, of: header, path: path)
    try Self.checkEnd(&file, path: path)
    digest = try file.finish()
    self.path = path
    self.header = header
    self.storage = storage
  }

  private static func readHeader(
    _ file: inout HashedFileReader, expecting content: Content, path: String
  ) throws(DataSetError) -> IDXHeader {
    let storage = try emptyStorage(growingTo: IDXHeader.byteCount(of: content), path: path)
    try fill(storage, from: &file, path: path)
    let head = Array(storage.bytes)
    do throws(DataSetError) {
      return try IDXHeader(decoding: head, expecting: content, path: path)
    } catch {
      // The file is refused either way: what follows serves only to say what it is.
      let more = try emptyStorage(growingTo: FileKind.byteCount - head.count, path: path)
      try fill(more, from: &file, path: path)
      guard let kind = FileKind(of: head + more.bytes), kind != .idx else { throw error }
      throw .another(kind, path, expected: "an IDX file of \(content)")
    }
  }

  private static func readContent(
    _ file: inout HashedFileReader, of header: IDXHeader, path: String
  ) throws(DataSetError) -> ByteStorage {
    let storage = try emptyStorage(growingTo: header.contentByteCount, path: path)
    try fill(storage, from: &file, path: path)
    guard storage.count == header.contentByteCount else {
      throw .broken(
        path, atByte: file.position,
        expected: "\(header.contentByteCount) bytes for \(header.text) after the header",
        found: "the end of the file after \(storage.count) of them")
    }
    return storage
  }

  /// Reads past the content, which also makes zlib check the stream's own checksum.
  private static func checkEnd(_ file: inout HashedFileReader, path: String) throws(DataSetError) {
    let end = file.position
    let extra = try emptyStorage(growingTo: 1, path: path)
    try fill(extra, from: &file, path: path)
    guard extra.count == 0 else {
      throw .broken(
        path, atByte: end, expected: "the end of the file, as its header says",
        found: "more bytes")
    }
  }

  private static func emptyStorage(
    growingTo limit: Int, path: String
  ) throws(DataSetError) -> ByteStorage {
    guard let storage = ByteStorage(growingTo: limit) else {
      throw .noMemory(path, byteCount: limit)
    }
    return storage
  }

  /// Reads until `storage` is at its limit or the file at its end.
  private static func fill(
    _ storage: ByteStorage, from file: inout HashedFileReader, path: String
  ) throws(DataSetError) {
    while storage.count < storage.limit {
      // A chunk at a time, so that it is hashed while it is still in the cache.
      guard let room = storage.room(upTo: GzipReader.chunkByteCount) else {
        throw .noMemory(path, byteCount: storage.limit)
      }
      let got = try file.read(into: room)
      storage.fill(got)
      if got < room.count { return }
    }
  }
}

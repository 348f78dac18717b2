import Files

/// An array of floats in a file of NumPy's, .npy.
public struct NPYFile: Sendable {
  /// The file read, as the caller named it.
  public let path: String
  /// `[count]` or `[rows, columns]`.
  public let shape: [Int]
  /// The numbers in row-major order; those of an f8 file rounded to the nearest float.
  public let values: [Float]

  /// Reads the file at `path`: format 1.0 or 2.0, `<f4` or `<f8`, C order, 1 or 2 dimensions.
  /// - Throws: `TensorFileError`, `.missing` if it cannot be read, `.broken` if it is wrong.
  public init(path: String) throws(TensorFileError) {
    let content: InputFile
    do throws(FileError) {
      content = try InputFile(path: path)
    } catch {
      throw TensorFileError(error, kind: .missing)
    }
    try self.init(decoding: content.bytes, path: path)
  }

  /// Decodes the bytes of a file that are in memory.
  /// - Throws: `TensorFileError` that names `path`.
  public init(decoding bytes: UnsafeRawBufferPointer, path: String) throws(TensorFileError) {
    let header: NPYHeader
    do throws(TensorFileError) {
      header = try NPYHeader(decoding: bytes, path: path)
    } catch {
      throw error.naming(FileKind(of: bytes), inPlaceOf: .npy)
    }
    let content = UnsafeRawBufferPointer(rebasing: bytes[header.content])
    self.path = path
    shape = header.shape
    values =
      switch header.number {
      case .float32: LittleEndian.floats(content)
      case .float64: LittleEndian.floatsOfDoubles(content)
      }
  }

  /// Writes floats `[rows, columns]` in row-major order to the file at `path`, format 1.0.
  /// - Throws: `TensorFileError.notWritten` if the sizes do not fit or the file cannot be written.
  public static func write(
    _ values: UnsafeBufferPointer<Float>, rows: Int, columns: Int, to path: String
  ) throws(TensorFileError) {
    let needed = TensorShape.byteCount([rows, columns], elementBitCount: 32)
    guard needed == values.count * 4 else {
      throw .notWritable(path, "\(values.count) numbers are not \(rows) x \(columns)")
    }
    do {
      try DurableFile.write(to: path) { writer in
        try writer.write(NPYHeader.encoded(rows: rows, columns: columns))
        try LittleEndian.withBytes(of: values) { (bytes) throws(FileError) in
          try writer.write(bytes)
        }
      }
    } catch {
      guard let error = error as? FileError else { throw .notWritable(path, "\(error)") }
      throw TensorFileError(error, kind: .notWritten)
    }
  }

  /// Writes floats `[rows, columns]` in row-major order to the file at `path`, format 1.0.
  /// - Throws: `TensorFileError.notWritten` if the sizes do not fit or the file cannot be written.
  public static func write(
    _ values: [Float], rows: Int, columns: Int, to path: String
  ) throws(TensorFileError) {
    try values.withUnsafeBufferPointer { (values) throws(TensorFileError) in
      try write(values, rows: rows, columns: columns, to: path)
    }
  }
}

import Files

/// A safetensors file, read whole and checked.
///
/// Tensors are in row-major order; a shape has the slowest dimension first.
public struct SafetensorsFile {
  /// One tensor of a file.
  public struct Tensor: Hashable, Sendable {
    /// Its name, which no other tensor of the file has.
    public let name: String
    /// What its elements are.
    public let dataType: TensorDataType
    /// Its sizes, none for a single number.
    public let shape: [Int]
    /// Where its bytes are in the file.
    public let byteRange: Range<Int>

    /// Elements: the product of the sizes.
    public var elementCount: Int { TensorShape.elementCount(shape) ?? 0 }
  }

  private let content: InputFile
  private let indices: [String: Int]

  /// What the file says of itself.
  public let metadata: [String: String]
  /// All tensors, in the order of their bytes in the file.
  public let tensors: [Tensor]

  /// The file read.
  public var path: String { content.path }

  /// Reads the file at `path` and checks all of it, its content's digest too if it has one.
  /// - Throws: `TensorFileError`, `.missing` if it cannot be read, `.broken` if it is wrong.
  public init(path: String) throws(TensorFileError) {
    do throws(FileError) {
      content = try InputFile(path: path)
    } catch {
      throw TensorFileError(error, kind: .missing)
    }
    (metadata, tensors, indices) = try Self.check(content)
  }

  /// Takes the bytes of a file that are in memory, by copying them, and checks all of them.
  /// - Throws: `TensorFileError` that names `path`.
  public init(copying bytes: UnsafeRawBufferPointer, path: String) throws(TensorFileError) {
    do throws(FileError) {
      content = try InputFile(copying: bytes, path: path)
    } catch {
      throw TensorFileError(error, kind: .missing)
    }
    (metadata, tensors, indices) = try Self.check(content)
  }

  private static func check(
    _ content: InputFile
  ) throws(TensorFileError) -> ([String: String], [Tensor], [String: Int]) {
    let header: SafetensorsHeader
    do throws(TensorFileError) {
      header = try SafetensorsHeader(decoding: content.bytes, path: content.path)
    } catch {
      throw error.naming(FileKind(of: content.bytes), inPlaceOf: .safetensors)
    }
    if let claimed = header.metadata[SafetensorsDigest.key] {
      let found = SafetensorsDigest.digest(
        metadata: header.metadata,
        tensors: header.tensors.map {
          (
            $0.name, $0.dataType, $0.shape,
            UnsafeRawBufferPointer(rebasing: content.bytes[$0.byteRange])
          )
        })
      guard found.hex == claimed else {
        throw TensorFileError(
          kind: .broken, path: content.path, byteOffset: SafetensorsHeader.lengthByteCount,
          message: """
            the file is damaged: expected content of SHA-256 \(TensorFileError.quoted(claimed)), \
            found \(TensorFileError.quoted(found.hex))
            """)
      }
    }
    let indices = header.tensors.enumerated().map { ($0.element.name, $0.offset) }
    return (header.metadata, header.tensors, Dictionary(indices) { first, _ in first })
  }
}

extension SafetensorsFile {
  /// The tensor of that name, which must have that type and shape where they are given.
  /// - Throws: `TensorFileError` if there is none or it is another.
  public func tensor(
    named name: String, dataType: TensorDataType? = nil, shape: [Int]? = nil
  ) throws(TensorFileError) -> Tensor {
    guard let index = indices[name] else {
      throw TensorFileError(
        kind: .broken, path: path,
        message: "has no tensor \(TensorFileError.quoted(name))")
    }
    let tensor = tensors[index]
    let expected = (dataType ?? tensor.dataType, shape ?? tensor.shape)
    guard expected == (tensor.dataType, tensor.shape) else {
      throw .broken(
        path, atByte: tensor.byteRange.lowerBound,
        expected: "\(TensorFileError.quoted(name)) as \(Self.text(expected))",
        found: Self.text((tensor.dataType, tensor.shape)))
    }
    return tensor
  }

  /// Lends the bytes of one of this file's tensors, little-endian, at any alignment.
  public func withUnsafeBytes<Result, Failure: Error>(
    of tensor: Tensor, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // A tensor of another file must not reach beyond this one.
    let range = tensor.byteRange.clamped(to: 0..<content.bytes.count)
    return try body(UnsafeRawBufferPointer(rebasing: content.bytes[range]))
  }

  /// The elements of an F32 tensor, of the shape given if one is.
  /// - Throws: `TensorFileError` if there is none or it is another.
  public func floats(named name: String, shape: [Int]? = nil) throws(TensorFileError) -> [Float] {
    let tensor = try tensor(named: name, dataType: .float32, shape: shape)
    return withUnsafeBytes(of: tensor) { LittleEndian.floats($0) }
  }

  /// The elements of an I64 tensor, of the shape given if one is.
  /// - Throws: `TensorFileError` if there is none or it is another.
  public func integers(
    named name: String, shape: [Int]? = nil
  ) throws(TensorFileError) -> [Int64] {
    let tensor = try tensor(named: name, dataType: .int64, shape: shape)
    return withUnsafeBytes(of: tensor) { LittleEndian.integers($0) }
  }

  /// Copies the elements of an F32 tensor of that shape to `destination`, which has as many.
  /// - Parameter mayBeNegative: whether they may be below 0.
  /// - Throws: `TensorFileError` if there is no such tensor, or it has a NaN, an infinity or a number below 0 that it
  ///   must not have; the destination is then of no use.
  public func copyFloats(
    named name: String, shape: [Int], mayBeNegative: Bool = true,
    to destination: UnsafeMutableBufferPointer<Float>
  ) throws(TensorFileError) {
    try demandNumbers(named: name, shape: shape, mayBeNegative: mayBeNegative)
    let tensor = try tensor(named: name, dataType: .float32, shape: shape)
    precondition(destination.count == tensor.elementCount, "a place for another number of elements")
    withUnsafeBytes(of: tensor) { LittleEndian.copyFloats($0, to: destination) }
  }

  /// Sees whether an F32 tensor of that shape holds numbers that can be computed with.
  /// - Parameter mayBeNegative: whether they may be below 0.
  /// - Throws: `TensorFileError` if there is no such tensor, or it has a NaN, an infinity or a number below 0 that it
  ///   must not have.
  public func demandNumbers(
    named name: String, shape: [Int], mayBeNegative: Bool = true
  ) throws(TensorFileError) {
    let tensor = try tensor(named: name, dataType: .float32, shape: shape)
    let odd = withUnsafeBytes(of: tensor) { bytes in
      LittleEndian.firstFloat(in: bytes) { !$0.isFinite || ($0 < 0 && !mayBeNegative) }
    }
    guard let odd else { return }
    throw .broken(
      path, atByte: tensor.byteRange.lowerBound + odd.index * MemoryLayout<Float>.stride,
      expected: mayBeNegative ? "a finite number" : "a finite number of at least 0",
      found: "\(odd.value) as element \(odd.index) of \(TensorFileError.quoted(name))")
  }

  private static func text(_ kind: (TensorDataType, [Int])) -> String {
    "\(kind.0.rawValue) \(TensorShape.text(kind.1))"
  }
}

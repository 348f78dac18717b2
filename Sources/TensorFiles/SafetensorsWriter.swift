import Files

/// Writes safetensors files, whole or not at all.
public enum SafetensorsWriter {
  /// A tensor to be written.
  public struct Tensor {
    /// Its name, which no other tensor of the file may have.
    public let name: String
    /// What its elements are.
    public let dataType: TensorDataType
    /// Its sizes, the slowest first; none for a single number.
    public let shape: [Int]
    /// Its elements, little-endian in row-major order.
    public let bytes: UnsafeRawBufferPointer

    /// Names bytes as a tensor; they must be valid until it is written.
    public init(
      name: String, dataType: TensorDataType, shape: [Int], bytes: UnsafeRawBufferPointer
    ) {
      self.name = name
      self.dataType = dataType
      self.shape = shape
      self.bytes = bytes
    }
  }

  /// Writes `tensors`, in this order, to the file at `path`.
  ///
  /// - Parameters:
  ///   - metadata: Kept in the header; the key of ``SafetensorsDigest`` is the writer's own.
  ///   - addsDigest: Whether the metadata gets the digest of the content.
  /// - Throws: `TensorFileError.notWritten` for tensors that no file can hold, or if the file
  ///   cannot be written; an older file is then as ``DurableFile`` leaves it.
  public static func write(
    _ tensors: [Tensor], metadata: [String: String] = [:], addsDigest: Bool = true, to path: String
  ) throws(TensorFileError) {
    try check(tensors, metadata, path)
    var metadata = metadata
    if addsDigest {
      let digest = SafetensorsDigest.digest(
        metadata: metadata, tensors: tensors.map { ($0.name, $0.dataType, $0.shape, $0.bytes) })
      metadata[SafetensorsDigest.key] = digest.hex
    }
    let head = head(tensors, metadata)
    guard head.count - SafetensorsHeader.lengthByteCount <= SafetensorsHeader.maximumByteCount
    else { throw .notWritable(path, "its header would have \(head.count) bytes") }
    do {
      try DurableFile.write(to: path) { writer in
        try writer.write(head)
        for tensor in tensors { try writer.write(tensor.bytes) }
      }
    } catch {
      guard let error = error as? FileError else { throw .notWritable(path, "\(error)") }
      throw TensorFileError(error, kind: .notWritten)
    }
  }

  private static func check(
    _ tensors: [Tensor], _ metadata: [String: String], _ path: String
  ) throws(TensorFileError) {
    guard metadata[SafetensorsDigest.key] == nil else {
      throw .notWritable(path, "\(SafetensorsDigest.key) in the metadata is the writer's own")
    }
    var names: Set<String> = [SafetensorsHeader.metadataKey]
    var total = 0
    for tensor in tensors {
      let name = TensorFileError.quoted(tensor.name)
      guard names.insert(tensor.name).inserted else {
        throw .notWritable(path, "the name \(name) is taken")
      }
      guard tensor.shape.count <= TensorShape.maximumDimensionCount else {
        throw .notWritable(path, "\(name) has \(tensor.shape.count) dimensions")
      }
      let needed = TensorShape.byteCount(
        tensor.shape, elementBitCount: tensor.dataType.bitCount)
      guard needed == tensor.bytes.count else {
        throw .notWritable(
          path, "\(name) of \(TensorShape.text(tensor.shape)) has \(tensor.bytes.count) bytes")
      }
      let (sum, overflow) = total.addingReportingOverflow(tensor.bytes.count)
      guard !overflow else { throw .notWritable(path, "more bytes than can be counted") }
      total = sum
    }
    let texts = tensors.map(\.name) + metadata.flatMap { [$0.key, $0.value] }
    guard !texts.contains(where: { $0.utf8.contains(0) }) else {
      throw .notWritable(path, "a name or the metadata contain a NUL")
    }
  }

  /// The header's length and JSON, which spaces bring to a multiple of 8 bytes.
  private static func head(_ tensors: [Tensor], _ metadata: [String: String]) -> [UInt8] {
    var members: [String] = []
    if !metadata.isEmpty {
      let entries = SafetensorsDigest.ordered(metadata).map { "\(json($0.key)):\(json($0.value))" }
      members.append("\(json(SafetensorsHeader.metadataKey)):{\(entries.joined(separator: ","))}")
    }
    var begin = 0
    for tensor in tensors {
      let end = begin + tensor.bytes.count
      let sizes = tensor.shape.map { String($0) }.joined(separator: ",")
      members.append(
        #"\#(json(tensor.name)):{"dtype":"\#(tensor.dataType.rawValue)","#
          + #""shape":[\#(sizes)],"data_offsets":[\#(begin),\#(end)]}"#)
      begin = end
    }
    var text = Array("{\(members.joined(separator: ","))}".utf8)
    text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
  }

  private static func json(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      case "\u{0}"..<" ":
        "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
      default: "\(scalar)"
      }
    }
    return "\"\(escaped.joined())\""
  }
}

import Files

/// The digest of what a safetensors file holds, kept in its metadata.
///
/// It is the SHA-256 of, one after the other:
/// 1. of each entry of the metadata but `content_sha256`, ordered by the UTF-8 bytes of the keys:
///    the key, NUL, the value, NUL;
/// 2. of each tensor, in the order of their bytes in the file: the name, NUL, the dtype as in the
///    header (such as `F32`), NUL, the sizes in decimal joined by commas (nothing for a single
///    number), NUL, the tensor's bytes as in the file.
///
/// Texts are in UTF-8 and contain no NUL. The metadata has it as 64 lower-case hexadecimal digits.
public enum SafetensorsDigest {
  /// The key of the metadata that has the digest.
  public static let key = "content_sha256"

  /// The digest of this content.
  static func digest(
    metadata: [String: String],
    tensors: [(
      name: String, dataType: TensorDataType, shape: [Int], bytes: UnsafeRawBufferPointer
    )]
  ) -> ContentDigest {
    var hasher = ContentDigest.Hasher()
    for (key, value) in ordered(metadata) where key != Self.key {
      hasher.update("\(key)\0\(value)\0")
    }
    for tensor in tensors {
      let sizes = tensor.shape.map { String($0) }.joined(separator: ",")
      hasher.update("\(tensor.name)\0\(tensor.dataType.rawValue)\0\(sizes)\0")
      hasher.update(tensor.bytes)
    }
    return hasher.finish()
  }

  /// The metadata ordered by the UTF-8 bytes of the keys, the same in every version of Unicode.
  static func ordered(_ metadata: [String: String]) -> [(key: String, value: String)] {
    metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }
}

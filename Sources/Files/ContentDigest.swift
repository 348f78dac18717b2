import COpenSSL

/// A SHA-256 digest: 32 bytes that stand for some content.
public struct ContentDigest: Hashable, Sendable, CustomStringConvertible {
  /// The digest as 64 lower-case hexadecimal digits.
  public let hex: String

  /// The first 16 hexadecimal digits, for logs.
  public var short: String { String(hex.prefix(16)) }

  /// The 64 hexadecimal digits.
  public var description: String { hex }

  /// Takes a digest written as 64 lower-case hexadecimal digits, as they are.
  public init(hex: String) {
    self.hex = hex
  }

  /// The digest of `bytes`; nil if OpenSSL offers no SHA-256 here.
  public init?(of bytes: UnsafeRawBufferPointer) {
    var hasher = Hasher()
    hasher.update(bytes)
    guard let digest = hasher.finish() else { return nil }
    self = digest
  }
}

extension ContentDigest {
  /// Takes content piece by piece: the one place that calls OpenSSL.
  public struct Hasher: ~Copyable {
    private let context: OpaquePointer?
    private var isSound: Bool

    /// Starts a SHA-256 digest.
    public init() {
      context = EVP_MD_CTX_new()
      isSound = context != nil && EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1
    }

    deinit {
      EVP_MD_CTX_free(context)
    }

    /// Adds the next bytes of the content.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
      isSound = isSound && EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
    }

    /// Adds the UTF-8 bytes of a text.
    public mutating func update(_ text: String) {
      var text = text
      text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    /// The digest of all bytes added; nil if OpenSSL offers no SHA-256 here.
    public consuming func finish() -> ContentDigest? {
      var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
      var byteCount: UInt32 = 0
      guard isSound, EVP_DigestFinal_ex(context, &bytes, &byteCount) == 1 else { return nil }
      return ContentDigest(hex: bytes.prefix(Int(byteCount)).map(Self.hexadecimal).joined())
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }
}

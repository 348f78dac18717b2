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

  /// The digest of `bytes`.
  public init(of bytes: UnsafeRawBufferPointer) {
    var hasher = Hasher()
    hasher.update(bytes)
    self = hasher.finish()
  }
}

extension ContentDigest {
  /// Takes content piece by piece: the one place that calls OpenSSL.
  ///
  /// The process ends if OpenSSL has no SHA-256: neither data nor checkpoints can be checked then.
  public struct Hasher: ~Copyable {
    private let context: OpaquePointer

    /// Starts a SHA-256 digest.
    public init() {
      guard let context = EVP_MD_CTX_new() else { Self.fail() }
      self.context = context
      Self.demand(EVP_DigestInit_ex(context, EVP_sha256(), nil))
    }

    deinit {
      EVP_MD_CTX_free(context)
    }

    /// Adds the next bytes of the content.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
      Self.demand(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count))
    }

    /// Adds the UTF-8 bytes of a text.
    public mutating func update(_ text: String) {
      var text = text
      text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    /// The digest of all bytes added.
    public consuming func finish() -> ContentDigest {
      var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
      var byteCount: UInt32 = 0
      Self.demand(EVP_DigestFinal_ex(context, &bytes, &byteCount))
      return ContentDigest(hex: bytes.prefix(Int(byteCount)).map(Self.hexadecimal).joined())
    }

    /// - Parameter result: of OpenSSL; 1 means success.
    private static func demand(_ result: Int32) {
      guard result == 1 else { fail() }
    }

    private static func fail() -> Never { fatalError("OpenSSL offers no SHA-256 here") }

    private static func hexadecimal(_ byte: UInt8) -> String {
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }
}

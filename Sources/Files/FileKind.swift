/// Kinds of files that are found in place of the file wanted, known by their first bytes.
///
/// A page of a server that wanted a login, a pointer that Git was to replace by the file, an
/// archive that was to be unpacked: to say so helps more than to name a wrong byte.
public enum FileKind: Equatable, Sendable, CaseIterable {
  case empty
  case zeros
  case html, xml
  case serverMessage
  case gitLFSPointer, gitAnnexPointer
  case zip, tar, gzip, xz, zstandard, bzip2, sevenZip, rar, lz4
  case png, jpeg, gif, pdf
  case npy, hdf5, pickle, parquet, gguf
  case idx, safetensors

  /// Bytes from the beginning of a file that are enough to tell.
  public static let byteCount = 512

  /// The kind of a file that begins with `bytes`; nil if it is none of these.
  ///
  /// - Parameter bytes: all of the file if it has fewer than `byteCount` bytes.
  ///
  /// Some kinds are told by few bytes: ask only about a file that could not be read.
  public init?(of bytes: some Collection<UInt8>) {
    let head = Array(bytes.prefix(Self.byteCount))
    guard let kind = Self.allCases.first(where: { $0.describes(head) }) else { return nil }
    self = kind
  }

  /// Such as "a zip archive".
  public var name: String {
    switch self {
    case .empty: "an empty file"
    case .zeros: "nothing but zeros"
    case .html: "an HTML page"
    case .xml: "an XML document"
    case .serverMessage: "the error message of a server"
    case .gitLFSPointer: "a Git LFS pointer"
    case .gitAnnexPointer: "a git-annex pointer"
    case .zip: "a zip archive"
    case .tar: "a tar archive"
    case .gzip: "a gzip file"
    case .xz: "an xz file"
    case .zstandard: "a Zstandard file"
    case .bzip2: "a bzip2 file"
    case .sevenZip: "a 7z archive"
    case .rar: "a RAR archive"
    case .lz4: "an LZ4 file"
    case .png: "a PNG image"
    case .jpeg: "a JPEG image"
    case .gif: "a GIF image"
    case .pdf: "a PDF document"
    case .npy: "a NumPy file (.npy)"
    case .hdf5: "an HDF5 file"
    case .pickle: "a Python pickle"
    case .parquet: "a Parquet file"
    case .gguf: "a GGUF file"
    case .idx: "an IDX file"
    case .safetensors: "a safetensors file"
    }
  }

  /// What to do about it, as a sentence without its full stop.
  public var advice: String {
    switch self {
    case .empty, .zeros: "The file was not written or not fetched to its end: get it again"
    case .html, .xml, .serverMessage:
      "A server sent this in place of the file: check the address, and get the file again"
    case .gitLFSPointer: "Fetch the file itself with: git lfs pull"
    case .gitAnnexPointer: "Fetch the file itself with: git annex get"
    case .zip:
      "Unpack it first (unzip); PyTorch's .pt and NumPy's .npz files are zip archives too, and have"
        + " to be converted"
    case .tar, .sevenZip, .rar: "Unpack it first"
    case .gzip: "Unpack it first (gunzip)"
    case .xz: "Unpack it first (unxz)"
    case .zstandard: "Unpack it first (unzstd)"
    case .bzip2: "Unpack it first (bunzip2)"
    case .lz4: "Unpack it first (unlz4)"
    case .png, .jpeg, .gif, .pdf, .npy, .hdf5, .parquet, .gguf, .idx, .safetensors:
      "Name another file"
    case .pickle: "Save it in the other format in Python: a pickle is a program, and is not run"
    }
  }

  private func describes(_ head: [UInt8]) -> Bool {
    func begins(_ text: String, at offset: Int = 0) -> Bool {
      head.dropFirst(offset).starts(with: text.utf8)
    }
    func begins(_ bytes: UInt8..., at offset: Int = 0) -> Bool {
      head.dropFirst(offset).starts(with: bytes)
    }
    switch self {
    case .empty: return head.isEmpty
    case .zeros: return head.count >= 64 && head.allSatisfy { $0 == 0 }
    case .html: return Self.text(head).map(Self.isHTML) ?? false
    case .xml: return Self.text(head).map { $0.starts(with: "<?xml".utf8) } ?? false
    case .serverMessage: return Self.text(head).map(Self.isServerMessage) ?? false
    case .gitLFSPointer: return begins("version https://git-lfs.github.com/spec/")
    case .gitAnnexPointer: return begins("/annex/objects/")
    case .zip: return begins("PK\u{3}\u{4}") || begins("PK\u{5}\u{6}")
    case .tar: return begins("ustar", at: 257)
    case .gzip: return begins(0x1F, 0x8B)
    case .xz: return begins(0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00)
    case .zstandard: return begins(0x28, 0xB5, 0x2F, 0xFD)
    case .bzip2: return begins("BZh")
    case .sevenZip: return begins(0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C)
    case .rar: return begins("Rar!\u{1A}\u{7}")
    case .lz4: return begins(0x04, 0x22, 0x4D, 0x18)
    case .png: return begins(0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A)
    case .jpeg: return begins(0xFF, 0xD8, 0xFF)
    case .gif: return begins("GIF87a") || begins("GIF89a")
    case .pdf: return begins("%PDF-")
    case .npy: return begins(0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59)
    case .hdf5: return begins(0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A)
    case .pickle: return Self.isPickle(head)
    case .parquet: return begins("PAR1")
    case .gguf: return begins("GGUF")
    // Unsigned bytes with one to four dimensions.
    case .idx: return begins(0, 0, 8) && head.count > 3 && (1...4).contains(head[3])
    case .safetensors:
      // A header of fewer than 2^24 bytes, in JSON.
      return head.count > 9 && head[3..<8].allSatisfy { $0 == 0 } && begins("{\"", at: 8)
    }
  }

  /// What follows a byte order mark and white space, in lower case; nil if it is no text.
  private static func text(_ head: [UInt8]) -> [UInt8]? {
    let bytes = head.starts(with: [0xEF, 0xBB, 0xBF]) ? head.dropFirst(3) : head[...]
    let text = bytes.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    guard !text.isEmpty, !text.contains(0) else { return nil }
    return text.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
  }

  private static func isHTML(_ text: [UInt8]) -> Bool {
    ["<!doctype html", "<html", "<head", "<body", "<!--", "<title", "<script"].contains {
      text.starts(with: $0.utf8)
    }
  }

  /// Such as "404: Not Found", "Access denied" or {"message":"Not Found"}.
  private static func isServerMessage(_ text: [UInt8]) -> Bool {
    [
      "404", "403", "401", "429", "500", "502", "503", "not found", "access denied", "forbidden",
      "invalid username or password", "entry not found", "repository not found",
      "too many requests",
      "{\"message\"", "{\"error\"", "{\"status\"",
    ].contains { text.starts(with: $0.utf8) }
  }

  /// Protocols 2 to 5: the version, then a frame, a mark or an object.
  private static func isPickle(_ head: [UInt8]) -> Bool {
    guard head.count > 2, head[0] == 0x80, (2...5).contains(head[1]) else { return false }
    return head[2] == 0x95 || "]}()cXKMJI\u{8A}".unicodeScalars.contains { $0.value == head[2] }
  }
}

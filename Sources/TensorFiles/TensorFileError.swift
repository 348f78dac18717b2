import Files
import Glibc

/// What is wrong with a file of tensors, said for people: which file, where in it, what.
public struct TensorFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What could not be done.
  public enum Kind: Hashable, Sendable {
    /// A file that is not there or cannot be read.
    case missing
    /// Content that is not what it must be.
    case broken
    /// A file that cannot be written, or tensors that no file can hold.
    case notWritten
    /// A file that there is no memory for.
    case noMemory
  }

  /// What could not be done.
  public let kind: Kind
  /// The file concerned, as the caller named it.
  public let path: String
  /// Where in the file, counted from its first byte; nil if it is not about one place.
  public let byteOffset: Int?
  /// What is wrong.
  public let message: String

  /// Makes an error about one file.
  public init(kind: Kind, path: String, byteOffset: Int? = nil, message: String) {
    self.kind = kind
    self.path = path
    self.byteOffset = byteOffset
    self.message = message
  }

  /// The path, the place and the message.
  public var description: String {
    "\(path.escapedForTerminal): " + (byteOffset.map { "at byte \($0): " } ?? "") + message
  }
}

extension TensorFileError {
  /// Content that is wrong at `offset`.
  static func broken(
    _ path: String, atByte offset: Int, expected: String, found: String
  ) -> TensorFileError {
    TensorFileError(
      kind: .broken, path: path, byteOffset: offset,
      message: "expected \(expected), found \(found)")
  }

  /// Tensors that no file can hold.
  static func notWritable(_ path: String, _ message: String) -> TensorFileError {
    TensorFileError(kind: .notWritten, path: path, message: "cannot be written: \(message)")
  }

  /// A file that could not be opened, read or written.
  /// - Parameter kind: what could not be done, unless it was memory that was missing.
  init(_ error: FileError, kind: Kind) {
    self.init(
      kind: error.code == ENOMEM ? .noMemory : kind, path: error.path,
      message: "cannot \(error.call.rawValue) it: \(error.reason)")
  }

  /// This error; of a file of another kind than the one wanted, one that says which.
  func naming(_ kind: FileKind?, inPlaceOf wanted: FileKind) -> TensorFileError {
    guard self.kind == .broken, let kind, kind != wanted else { return self }
    return TensorFileError(
      kind: .broken, path: path, byteOffset: 0,
      message: "expected \(wanted.name), found \(kind.name). \(kind.advice)")
  }

  /// A text from a file as it can stand in a message: short, on one line, in quotes.
  static func quoted(_ text: String) -> String {
    let most = 60
    let scalars = text.unicodeScalars
    let start = String(String.UnicodeScalarView(scalars.prefix(most))).escapedForTerminal
    return "\"\(start)\(scalars.dropFirst(most).isEmpty ? "" : "…")\""
  }
}

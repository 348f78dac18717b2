/// Why a picture could not be drawn or written.
public struct PictureError: Error, Equatable, CustomStringConvertible {
  /// What was missing.
  public enum Kind: Equatable, Sendable {
    /// A way to draw or to write it.
    case notWritten
    /// Memory to draw it in.
    case noMemory
  }

  /// What was missing.
  public let kind: Kind
  /// The file the picture was meant for, as the caller named it.
  public let path: String
  /// What went wrong, in the words of the system or of the drawing library where there are any.
  public let reason: String

  init(kind: Kind = .notWritten, path: String, reason: String) {
    self.kind = kind
    self.path = path
    self.reason = reason
  }

  /// The path and the reason in one line.
  public var description: String { "cannot draw the picture \(path): \(reason)" }
}

import Glibc

/// A file that cannot be read or written, and why.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What the system was asked to do; the raw value reads well after "cannot".
  public enum Call: String, Sendable {
    case open
    case create
    case examine
    case read
    case write
    case flush
    case close
    case rename
    case list
  }

  /// The file concerned, as the caller named it.
  public let path: String
  /// What the system was asked to do.
  public let call: Call
  /// The system's error number; 0 for a reason that is not the system's.
  public let code: Int32
  /// Why it could not, for people.
  public let reason: String

  /// Says what went wrong in the words of the system.
  public init(path: String, call: Call, code: Int32) {
    self.init(path: path, call: call, code: code, reason: String(cString: strerror(code)))
  }

  /// Says what went wrong in words of its own.
  public init(path: String, call: Call, reason: String) {
    self.init(path: path, call: call, code: 0, reason: reason)
  }

  private init(path: String, call: Call, code: Int32, reason: String) {
    self.path = path
    self.call = call
    self.code = code
    self.reason = reason
  }

  /// What was tried, the path and the reason, on one line.
  public var description: String { "cannot \(call.rawValue) \(path): \(reason)" }
}

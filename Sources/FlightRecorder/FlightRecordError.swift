import Files
import Glibc

/// A flight record that cannot be read, or written: which file, where in it, and why.
public struct FlightRecordError: Error, Equatable, CustomStringConvertible {
  public let path: String
  /// In bytes from the begin of the file; nil if the file as a whole is meant.
  public let offset: Int?
  public let reason: String

  init(path: String, offset: Int? = nil, reason: String) {
    self.path = path
    self.offset = offset
    self.reason = reason
  }

  /// With the reason that `errno` names.
  init(path: String, code: Int32 = errno) {
    self.init(path: path, reason: String(cString: strerror(code)))
  }

  public var description: String {
    "\(path.escapedForTerminal): " + (offset.map { "at byte \($0): " } ?? "") + reason
  }
}

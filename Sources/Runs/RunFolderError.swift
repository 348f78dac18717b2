import Files
import Glibc

/// A file or folder of the run that cannot be used.
package struct RunFolderError: Error, CustomStringConvertible {
  package enum Kind {
    /// It is to be written, and cannot be.
    case unwritable
    /// A run is to go on from it, and nothing is there, or it cannot be read.
    case unreadable
  }

  package let kind: Kind
  let path: String
  let reason: String

  package var description: String {
    "cannot \(kind == .unwritable ? "write" : "go on from")"
      + " \(path.escapedForTerminal): \(reason)"
  }

  init(_ kind: Kind = .unwritable, path: String, reason: String) {
    (self.kind, self.path, self.reason) = (kind, path, reason)
  }

  /// With the reason that an error number names.
  init(_ kind: Kind = .unwritable, path: String, code: Int32 = errno) {
    self.init(kind, path: path, reason: String(cString: strerror(code)))
  }

  init(_ kind: Kind = .unwritable, _ error: FileError) {
    self.init(kind, path: error.path, reason: error.reason)
  }
}

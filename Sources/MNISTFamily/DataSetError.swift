import Files

/// What is wrong with a data set on disk, said for people: what, where, what to do.
public struct DataSetError: Error, CustomStringConvertible, Equatable, Sendable {
  /// What is wrong: the name, that there is nothing to read, or what was read.
  public enum Kind: Equatable, Sendable {
    /// A file or folder that is not there or cannot be read.
    case missing
    /// Content that is not what it must be.
    case broken
    /// A name that names no file, because it is no text.
    case misnamed
    /// More than there is memory for.
    case noMemory
  }

  /// What is wrong: the name, that there is nothing to read, or what was read.
  public let kind: Kind
  /// The file or folder concerned; empty for a set that came from no file.
  public let path: String
  /// What is wrong and what to do about it.
  public let message: String

  /// Makes an error about one file or folder.
  public init(kind: Kind, path: String, message: String) {
    self.kind = kind
    self.path = path
    self.message = message
  }

  /// The path and the message, on one or more lines.
  public var description: String {
    path.isEmpty ? message : "\(path.escapedForTerminal): \(message)"
  }
}

extension DataSetError {
  /// How to come by the data.
  static let waysToGetTheData = """
    apt-get install dataset-fashion-mnist, or run ./launch/fetch-data, \
    or name a folder that has the files with --data DIR
    """

  /// Content that is wrong at `offset`, in bytes of the uncompressed content.
  static func broken(
    _ path: String, atByte offset: Int, expected: String, found: String
  ) -> DataSetError {
    DataSetError(
      kind: .broken, path: path,
      message: """
        at byte \(offset): expected \(expected), found \(found). \
        Replace the file: ./launch/fetch-data fetches the published ones
        """)
  }

  /// A file of another kind than the one wanted.
  static func another(_ kind: FileKind, _ path: String, expected: String) -> DataSetError {
    DataSetError(
      kind: .broken, path: path,
      message: """
        at byte 0: expected \(expected), plain or gzipped, found \(kind.name). \(kind.advice). \
        To get the data: \(waysToGetTheData)
        """)
  }

  /// A file that is there but does not let itself be read.
  static func unreadable(_ path: String, reason: String) -> DataSetError {
    DataSetError(
      kind: .missing, path: path,
      message: "cannot be read (\(reason)). Check the file and its permissions")
  }

  /// More bytes than memory has room for.
  static func noMemory(_ path: String, byteCount: Int) -> DataSetError {
    DataSetError(
      kind: .noMemory, path: path,
      message: """
        no memory for \(byteCount) bytes of content. Use a smaller data set, or give the process more memory
        """)
  }
}

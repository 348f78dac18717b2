import Glibc
import SystemPackage

/// A file that appears whole or not at all, and outlasts a crash once it is written.
///
/// It is written beside its target under a name of its own, `.gan-dist-0123456789abcdef.part`,
/// flushed to the disk and renamed; then the folder is flushed. On any error the `.part` is removed
/// and an older file is as it was; only when the folder cannot be flushed, the last step, the new
/// file is there already. What a killed process left is removed when the next file is written to
/// the folder.
public enum DurableFile {
  /// Writes the file at `path` with what `body` gives the writer.
  /// - Throws: `FileError`, or what `body` throws.
  public static func write(to path: String, _ body: (Writer) throws -> Void) throws {
    let writer = try Writer(path: path)
    do {
      try body(writer)
      try writer.commit()
    } catch {
      writer.abandon()
      throw error
    }
  }

  /// Writes `bytes` as the file at `path`.
  /// - Throws: `FileError`.
  public static func write(
    _ bytes: UnsafeRawBufferPointer, to path: String
  ) throws(FileError) {
    try write(bytes, to: path, calls: SystemCalls())
  }

  /// Writes `bytes` as the file at `path`.
  /// - Throws: `FileError`.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in
      try write(UnsafeRawBufferPointer(bytes), to: path)
    }
  }

  /// Writes `text` in UTF-8 as the file at `path`.
  /// - Throws: `FileError`.
  public static func write(_ text: String, to path: String) throws(FileError) {
    try write(Array(text.utf8), to: path)
  }

  /// Sees whether a file could be written at `path`; one that is there stays as it is.
  /// - Throws: `FileError`.
  public static func probe(_ path: String) throws(FileError) {
    try Writer(path: path).abandon()
  }

  static func write(
    _ bytes: UnsafeRawBufferPointer, to path: String, calls: SystemCalls
  ) throws(FileError) {
    let writer = try Writer(path: path, calls: calls)
    do throws(FileError) {
      try writer.write(bytes)
      try writer.commit()
    } catch {
      writer.abandon()
      throw error
    }
  }
}

extension DurableFile {
  /// Takes the content of a file in pieces.
  public final class Writer {
    private let path: String
    private let folder: FilePath
    private let temporaryPath: String
    private let calls: SystemCalls
    private var descriptor: Int32
    /// Keeps the lock while the file is closed but has not its name yet.
    private var lockHolder: Int32

    init(path: String, calls: SystemCalls = SystemCalls()) throws(FileError) {
      self.path = path
      self.calls = calls
      // What the system is given ends at the first NUL: it would be another file.
      guard !path.utf8.contains(0) else {
        throw FileError(path: path, call: .create, reason: "its name contains a NUL")
      }
      switch FileStatus(path: path) {
      case .folder: throw FileError(path: path, call: .create, code: EISDIR)
      // A file would take the place of the device, for every program of the machine.
      case .other:
        throw FileError(path: path, call: .create, reason: "it is there and no regular file")
      case .file, .absent, .unreachable: break
      }
      folder = FilePath(path).removingLastComponent()
      TemporaryFile.removeAbandoned(in: folder, calls)
      let created = TemporaryFile.create(in: folder, calls)
      guard created.opened.value >= 0 else {
        throw FileError(path: path, call: .create, code: created.opened.code)
      }
      temporaryPath = created.path
      descriptor = created.opened.value
      lockHolder = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    }

    /// Adds the next bytes of the content.
    /// - Throws: `FileError`, also if they fit only in part.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
      var rest = bytes[...]
      while !rest.isEmpty {
        let written = calls.write(descriptor, UnsafeRawBufferPointer(rebasing: rest))
        if written.value > 0 {
          rest = rest.dropFirst(written.value)
        } else if written.value == 0 || written.code != EINTR {
          let code = written.value == 0 ? EIO : written.code
          throw FileError(path: path, call: .write, code: code)
        }
      }
    }

    /// Adds the next bytes of the content.
    /// - Throws: `FileError`, also if they fit only in part.
    public func write(_ bytes: [UInt8]) throws(FileError) {
      try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in
        try write(UnsafeRawBufferPointer(bytes))
      }
    }

    /// Adds a text in UTF-8.
    /// - Throws: `FileError`, also if it fits only in part.
    public func write(_ text: String) throws(FileError) {
      try write(Array(text.utf8))
    }

    /// Brings the content to the disk and gives the file its name.
    func commit() throws(FileError) {
      // Without this a crash just after the rename could leave an empty file.
      try flush(descriptor, path)
      let closed = calls.close(descriptor)
      descriptor = -1
      // Network file systems report a full disk only here.
      guard closed.value == 0 || closed.code == EINTR else {
        throw FileError(path: path, call: .close, code: closed.code)
      }
      let renamed = calls.rename(temporaryPath, path)
      guard renamed.value == 0 else {
        throw FileError(path: path, call: .rename, code: renamed.code)
      }
      releaseLock()
      try flushFolder()
    }

    /// Removes what was written; nothing is left to remove once the file has its name.
    func abandon() {
      if descriptor >= 0 { _ = calls.close(descriptor) }
      descriptor = -1
      calls.unlink(temporaryPath)
      releaseLock()
    }

    private func releaseLock() {
      if lockHolder >= 0 { Glibc.close(lockHolder) }
      lockHolder = -1
    }

    /// Brings the name to the disk: it is in the folder's content, not in the file's.
    private func flushFolder() throws(FileError) {
      let folder = folder.isEmpty ? "." : folder.string
      let opened = calls.open(folder, O_RDONLY | O_DIRECTORY)
      // A folder that may be written but not read still has the file, whole.
      if opened.value < 0, opened.code == EACCES { return }
      guard opened.value >= 0 else {
        throw FileError(path: folder, call: .open, code: opened.code)
      }
      defer { _ = calls.close(opened.value) }
      try flush(opened.value, folder)
    }

    private func flush(_ descriptor: Int32, _ path: String) throws(FileError) {
      while true {
        let flushed = calls.fsync(descriptor)
        // Some file systems cannot do it: no reason to lose the file.
        if flushed.value == 0 || [EINVAL, ENOTSUP].contains(flushed.code) { return }
        guard flushed.code == EINTR else {
          throw FileError(path: path, call: .flush, code: flushed.code)
        }
      }
    }
  }
}

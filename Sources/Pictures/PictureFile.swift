import Glibc

/// A file that appears whole or not at all: written beside its target, then renamed onto it.
struct PictureFile {
  let path: String

  /// One fixed name, so that what a killed process left behind is reused and never piles up.
  var temporaryPath: String { path + ".part" }

  /// Writes the bytes and renames them into place.
  ///
  /// - Throws: `PictureError` with the system's text; the temporary is gone by then.
  func write(_ bytes: [UInt8]) throws(PictureError) {
    let descriptor = open(
      temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode_t(0o666))
    guard descriptor >= 0 else { throw failure("create", temporaryPath, code: errno) }
    do throws(PictureError) {
      try fill(descriptor, with: bytes)
      guard rename(temporaryPath, path) == 0 else { throw failure("rename", path, code: errno) }
    } catch {
      unlink(temporaryPath)
      throw error
    }
  }

  /// Writes all bytes, brings them to the disk and closes the descriptor in every case.
  private func fill(_ descriptor: Int32, with bytes: [UInt8]) throws(PictureError) {
    var firstError: PictureError?
    do throws(PictureError) {
      try writeAll(bytes, to: descriptor)
      // Without this a crash just after the rename could leave an empty file. Some file systems
      // cannot do it and say EINVAL: no reason to lose the picture.
      if fsync(descriptor) != 0, errno != EINVAL {
        throw failure("flush", temporaryPath, code: errno)
      }
    } catch {
      firstError = error
    }
    // Network file systems report a full disk only here.
    if close(descriptor) != 0, errno != EINTR, firstError == nil {
      firstError = failure("close", temporaryPath, code: errno)
    }
    if let firstError { throw firstError }
  }

  private func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(PictureError) {
    var written = 0
    while written < bytes.count {
      let result = bytes[written...].withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if result > 0 {
        written += result
      } else if result == 0 || errno != EINTR {
        throw failure("write", temporaryPath, code: result == 0 ? EIO : errno)
      }
    }
  }

  private func failure(_ action: String, _ file: String, code: Int32) -> PictureError {
    let text = strerror(code).map { String(cString: $0) } ?? "error \(code)"
    return PictureError(path: path, reason: "cannot \(action) \(file): \(text)")
  }
}

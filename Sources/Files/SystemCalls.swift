import Glibc

/// The calls by which a file is written; tests put in their place calls that fail.
struct SystemCalls {
  /// A result below 0 comes with an error number.
  typealias Outcome<Value> = (value: Value, code: Int32)

  var open: (_ path: String, _ flags: Int32) -> Outcome<Int32> = { path, flags in
    let descriptor = Glibc.open(path, flags | O_CLOEXEC, mode_t(0o666))
    return (descriptor, errno)
  }
  var write: (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Outcome<Int> = {
    let count = Glibc.write($0, $1.baseAddress, $1.count)
    return (count, errno)
  }
  var fsync: (_ descriptor: Int32) -> Outcome<Int32> = { (Glibc.fsync($0), errno) }
  var close: (_ descriptor: Int32) -> Outcome<Int32> = { (Glibc.close($0), errno) }
  var rename: (_ old: String, _ new: String) -> Outcome<Int32> = { (Glibc.rename($0, $1), errno) }
  var unlink: (_ path: String) -> Void = { _ = Glibc.unlink($0) }
  /// Takes a lock for this process alone, or fails at once.
  var lock: (_ descriptor: Int32) -> Outcome<Int32> = { descriptor in
    while true {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return (0, 0) }
      let code = errno
      if code != EINTR { return (-1, code) }
    }
  }

  /// Whether a failed `lock` says that the file system has no locks, such as Lustre and NFS often.
  static func meansNoLocks(_ code: Int32) -> Bool {
    [ENOLCK, ENOTSUP, EOPNOTSUPP, ENOSYS, EINVAL].contains(code)
  }
}

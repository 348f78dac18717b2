import Glibc

/// The limit of a file's size that a shell or a batch system sets (`ulimit -f`).
package enum FileSizeLimit {
  /// From now on a write beyond the limit fails with EFBIG, and is told like any other: the signal that the system
  /// sends besides (SIGXFSZ) would end the process at once, and leave half a file.
  package static func becomesAnError() { signal(SIGXFSZ, SIG_IGN) }
}

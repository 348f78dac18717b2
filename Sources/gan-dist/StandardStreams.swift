import Glibc

/// Standard input, output and error, as whoever started the program left them.
enum StandardStreams {
  /// Makes them safe. Call this before any file is opened.
  ///
  /// A file takes the lowest free descriptor: where one of the three is closed, what the program
  /// says would get into a data file.
  static func secure() {
    for descriptor in STDIN_FILENO...STDERR_FILENO
    where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
      occupy(descriptor)
    }
    // A reader that went away makes a write fail, which is dealt with where something is written.
    signal(SIGPIPE, SIG_IGN)
  }

  /// Opens something in the wrong direction there: reading and writing fail, as they should.
  private static func occupy(_ descriptor: Int32) {
    let mode = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY
    var opened = open("/dev/null", mode)
    // A folder is always there, and can be neither read nor written.
    if opened < 0 { opened = open("/", O_RDONLY | O_DIRECTORY) }
    // All lower descriptors are taken: it is this one.
    precondition(opened == descriptor, "a standard stream is closed and cannot be replaced")
  }
}

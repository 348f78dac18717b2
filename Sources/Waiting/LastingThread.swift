import Glibc

/// A thread that ends only with the process.
public enum LastingThread {
  /// Starts a thread that no signal reaches: they are for the thread that trains.
  /// - Parameters:
  ///   - argument: what `body` is given.
  ///   - body: never returns.
  /// - Returns: an error number (pthread_create(3)), 0 for none.
  public static func start(
    _ argument: UnsafeMutableRawPointer,
    _ body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
  ) -> Int32 {
    var (all, before) = (sigset_t(), sigset_t())
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let code = pthread_create(&thread, nil, body, argument)
    if code == 0 { pthread_detach(thread) }
    return code
  }
}

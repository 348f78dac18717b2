import Glibc

/// Signals that ask the run to stop: a flag for the training loop, which stops on all ranks after the same step.
enum StopSignal {
  // Written by the handler, read by the loop; lone aligned words.
  nonisolated(unsafe) private static var received: Int32 = 0
  nonisolated(unsafe) private static var timeOfFirst = 0

  /// The signal that came first; 0 if none did.
  static var number: Int32 { received }

  /// From now on SIGUSR1 (which mpirun hands to all ranks), SIGTERM, SIGINT and SIGHUP only raise the flag. A second
  /// SIGTERM, SIGINT or SIGHUP ends the process wherever it is. What the starter wanted ignored stays so (nohup).
  static func listen() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGUSR1, SIGTERM, SIGINT, SIGHUP] {
      var action = sigaction()
      sigaction(signal, nil, &action)
      if signal == SIGINT || signal == SIGHUP, isIgnored(action) { continue }
      action = sigaction()
      action.__sigaction_handler.sa_handler = { StopSignal.note($0) }
      action.sa_flags = Int32(SA_RESTART)
      sigaction(signal, &action, nil)
      sigaddset(&signals, signal)
    }
    // Whoever started the program may have blocked them.
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// In the handler: only what a handler may do.
  private static func note(_ signal: Int32) {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let now = time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    if received == 0 {
      (received, timeOfFirst) = (signal, now)
      return
    }
    // One request often comes twice: to the whole group of processes, and through mpirun.
    let oneRequest = 500
    if signal != SIGUSR1 && now - timeOfFirst > oneRequest { _exit(128 + signal) }
  }

  private static func isIgnored(_ action: sigaction) -> Bool {
    unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// The exit status of a run that was stopped: 130 for SIGINT, else 143.
  static func exitStatus(of signals: [Int]) -> Int32 {
    signals.contains(Int(SIGINT)) ? 128 + SIGINT : 128 + SIGTERM
  }
}

import Glibc

/// Signals that ask the run to stop: a flag for the training loop, which stops on all ranks after the same step.
enum StopSignal {
  // Written by the handler, read by the loop; a lone aligned word.
  nonisolated(unsafe) private static var received: Int32 = 0

  /// The signal that came first; 0 if none did.
  static var number: Int32 { received }

  /// From now on SIGUSR1 (which mpirun hands to all ranks), SIGTERM and SIGINT only raise the flag.
  static func listen() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { signal in
      if StopSignal.received == 0 { StopSignal.received = signal }
    }
    action.sa_flags = Int32(SA_RESTART)
    // A reader of the output that went away is not worth a failed run.
    signal(SIGPIPE, SIG_IGN)
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGUSR1, SIGTERM, SIGINT] {
      sigaction(signal, &action, nil)
      sigaddset(&signals, signal)
    }
    // Whoever started the program may have blocked them.
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// The exit status of a run that was stopped: 130 for SIGINT, else 143.
  static func exitStatus(of signals: [Int]) -> Int32 {
    signals.contains(Int(SIGINT)) ? 128 + SIGINT : 128 + SIGTERM
  }
}

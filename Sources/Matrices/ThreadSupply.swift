import Glibc

/// Threads that the system does not give.
public struct ThreadSupplyError: Error, CustomStringConvertible {
  /// Threads wanted, the one that asks among them.
  public let wanted: Int
  /// Those that there can be.
  public let possible: Int
  let code: Int32

  public var description: String {
    """
    \(wanted) threads are wanted, but the system gives \(possible): \(String(cString: strerror(code))). \
    Take fewer with --threads, or raise the limits of processes and memory (ulimit -u, ulimit -v)
    """
  }
}

/// Whether the system gives as many threads as a team needs.
///
/// OpenMP ends the process where it cannot start a thread, so it is tried before.
public enum ThreadSupply {
  /// Starts the threads of a team beside this one, all at a time, and ends them again.
  /// - Throws: ``ThreadSupplyError`` if not all can be started.
  public static func demand(_ count: Int) throws(ThreadSupplyError) {
    // Threads wait here until all are there.
    let gate = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    gate.initialize(to: pthread_mutex_t())
    pthread_mutex_init(gate, nil)
    pthread_mutex_lock(gate)
    defer {
      pthread_mutex_destroy(gate)
      gate.deallocate()
    }
    var threads: [pthread_t] = []
    var code: Int32 = 0
    while threads.count + 1 < count && code == 0 {
      var thread = pthread_t()
      code = pthread_create(
        &thread, nil,
        { gate in
          guard let gate = gate?.assumingMemoryBound(to: pthread_mutex_t.self) else { return nil }
          pthread_mutex_lock(gate)
          pthread_mutex_unlock(gate)
          return nil
        }, gate)
      if code == 0 { threads.append(thread) }
    }
    pthread_mutex_unlock(gate)
    for thread in threads { pthread_join(thread, nil) }
    guard code == 0 else {
      throw ThreadSupplyError(wanted: count, possible: threads.count + 1, code: code)
    }
  }
}

import MPI

/// Something failed on some rank while all ranks did it, or waited for it: now all ranks know.
struct AgreedFailure: Error {
  /// The exit status of the job, the same on all ranks.
  let status: Int32
  /// The error, on the rank that is to speak of it.
  let own: (any Error)?
  /// Where that was, for people.
  let place: String
}

extension Communicator {
  /// Does work that may fail on some ranks only; all ranks learn whether it did, and throw then. So a refusal ends the
  /// job in good order, with one message. Every rank must call this.
  /// - Parameter work: exchanges nothing with other ranks.
  /// - Throws: ``AgreedFailure``, on all ranks alike.
  func agree<Result>(_ work: () throws -> Result) throws -> Result {
    let result = Swift.Result { try work() }
    var failure: (any Error)?
    if case .failure(let error) = result { failure = error }
    let own = failure.map { ExitStatus(of: $0) } ?? .done
    let statuses = try allGather(own.rawValue)
    guard let speaker = statuses.firstIndex(where: { $0 != ExitStatus.done.rawValue }) else {
      return try result.get()
    }
    throw AgreedFailure(
      status: statuses[speaker], own: rank == speaker ? failure : nil,
      place: FailureReport.place(of: own, self))
  }

  /// Does work on rank 0 while the others wait; all learn whether it failed, and throw then. Every rank must call this.
  /// - Returns: what the work gave, on rank 0; nil elsewhere.
  /// - Throws: ``AgreedFailure``, on all ranks alike.
  func agreeOnRoot<Result>(_ work: () throws -> Result) throws -> Result? {
    try agree { rank == 0 ? try work() : nil }
  }
}

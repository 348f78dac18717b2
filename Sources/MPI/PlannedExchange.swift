import COpenMPI
import Glibc
import Waiting

/// Bytes that go to a rank, or come from it.
public struct Message {
  let rank: Int
  let bytes: UnsafeMutableRawBufferPointer
  let tag: Int

  /// - Parameter tag: tells messages between the same two ranks apart, of this exchange and of others.
  public init(rank: Int, bytes: UnsafeMutableRawBufferPointer, tag: Int) {
    (self.rank, self.bytes, self.tag) = (rank, bytes, tag)
  }
}

/// Messages between ranks, planned once for fixed memory and then exchanged again and again (persistent
/// requests, MPI-3.1 section 3.9).
///
/// Nobody has to wait inside MPI: whoever began the exchange asks ``isComplete()`` and keeps control in between.
public final class PlannedExchange {
  /// Whether messages are on their way: then their memory belongs to MPI.
  public private(set) var isUnderWay = false
  private let requests: UnsafeMutableBufferPointer<MPI_Request?>
  private let owner: AnyObject

  /// Plans the messages; empty ones are none. Every rank must call this, with messages that match.
  /// - Parameter owner: keeps the memory of all messages for as long as it lives.
  /// - Throws: ``MPIError``, also for more bytes than one message can have.
  public init(
    sending sent: [Message], receiving received: [Message], owner: AnyObject,
    over communicator: Communicator
  ) throws {
    self.owner = owner
    let (sent, received) = (
      sent.filter { !$0.bytes.isEmpty }, received.filter { !$0.bytes.isEmpty }
    )
    requests = .allocate(capacity: sent.count + received.count)
    requests.initialize(repeating: MPI_REQUEST_NULL)
    let largestTag = try communicator.largestTag
    for message in sent + received where message.tag > largestTag {
      throw MPIError(code: MPI_ERR_TAG, call: "a message with tag \(message.tag)")
    }
    // Receives first: a message that is expected needs no copy.
    for (index, message) in received.enumerated() {
      let count = try messageCount(message.bytes.count, "MPI_Recv_init")
      try check(
        MPI_Recv_init(
          message.bytes.baseAddress, count, UInt8.datatype, Int32(message.rank),
          Int32(message.tag), communicator.handle, &requests[index]),
        "MPI_Recv_init of \(count) bytes from rank \(message.rank)")
    }
    for (index, message) in sent.enumerated() {
      let count = try messageCount(message.bytes.count, "MPI_Send_init")
      try check(
        MPI_Send_init(
          message.bytes.baseAddress, count, UInt8.datatype, Int32(message.rank),
          Int32(message.tag), communicator.handle, &requests[received.count + index]),
        "MPI_Send_init of \(count) bytes to rank \(message.rank)")
    }
  }

  deinit {
    guard !isUnderWay else {
      // MPI may still use the memory, and to wait for ranks that may be gone would hang: it is given up.
      _ = Unmanaged.passRetained(owner)
      return
    }
    for index in requests.indices where requests[index] != MPI_REQUEST_NULL {
      MPI_Request_free(&requests[index])
    }
    requests.deallocate()
  }

  /// Sends everything on its way (MPI_Startall). Every rank must call this.
  /// - Throws: ``MPIError``.
  public func start() throws {
    precondition(!isUnderWay, "an exchange begun twice")
    isUnderWay = true
    try check(MPI_Startall(Int32(requests.count), requests.baseAddress), "MPI_Startall")
  }

  /// Whether all messages were sent and have arrived (MPI_Testall); true too if none is on its way.
  /// - Throws: ``MPIError``.
  public func isComplete() throws -> Bool {
    guard isUnderWay else { return true }
    var flag: Int32 = 0
    try check(
      MPI_Testall(Int32(requests.count), requests.baseAddress, &flag, MPI_STATUSES_IGNORE),
      "MPI_Testall")
    if flag != 0 { isUnderWay = false }
    return flag != 0
  }
}

extension PlannedExchange: Awaitable {
  /// Messages move only when MPI is called: a nap, no longer than a few packets take.
  public func sleep(atMost nanoseconds: Int) {
    var nap = timespec(tv_sec: 0, tv_nsec: min(nanoseconds, 20_000))
    nanosleep(&nap, nil)
  }
}

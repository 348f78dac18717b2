import COpenMPI

/// Bytes that go to a rank, or come from it: pieces of memory, one after the other.
public struct Message {
  let rank: Int
  let pieces: [UnsafeMutableRawBufferPointer]

  public init(rank: Int, pieces: [UnsafeMutableRawBufferPointer]) {
    (self.rank, self.pieces) = (rank, pieces)
  }

  fileprivate var byteCount: Int { pieces.reduce(0) { $0 + $1.count } }
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

  /// Plans the messages. Every rank must call this, with messages that match.
  /// - Parameters:
  ///   - tag: tells messages between the same two ranks apart, of this exchange and of others.
  ///   - owner: keeps the memory of all messages for as long as it lives.
  /// - Throws: ``MPIError``, also for more bytes than one message can have.
  public init(
    sending sent: [Message], receiving received: [Message], tag: Int, owner: AnyObject,
    over communicator: Communicator
  ) throws {
    self.owner = owner
    requests = .allocate(capacity: sent.count + received.count)
    requests.initialize(repeating: MPI_REQUEST_NULL)
    let mpiTag = try communicator.tag(tag)
    // Receives first: a message that is expected needs no copy.
    for (index, message) in received.enumerated() {
      try Self.withMemory(of: message) { address, count, type in
        try check(
          MPI_Recv_init(
            address, count, type, Int32(message.rank), mpiTag, communicator.handle,
            &requests[index]),
          "MPI_Recv_init of \(message.byteCount) bytes from rank \(message.rank)")
      }
    }
    for (index, message) in sent.enumerated() {
      try Self.withMemory(of: message) { address, count, type in
        try check(
          MPI_Send_init(
            address, count, type, Int32(message.rank), mpiTag, communicator.handle,
            &requests[received.count + index]),
          "MPI_Send_init of \(message.byteCount) bytes to rank \(message.rank)")
      }
    }
  }

  /// One piece is plain bytes; several are a type of their own (MPI_Type_create_hindexed, MPI-3.1 section 4.1.2).
  private static func withMemory(
    of message: Message,
    _ body: (UnsafeMutableRawPointer?, Int32, MPI_Datatype?) throws -> Void
  ) throws {
    let counts = try message.pieces.map { try messageCount($0.count, "a message") }
    _ = try messageCount(message.byteCount, "a message")
    guard message.pieces.count != 1 else {
      return try body(message.pieces[0].baseAddress, counts[0], UInt8.datatype)
    }
    let addresses = message.pieces.map { MPI_Aint(bitPattern: $0.baseAddress) }
    var type: MPI_Datatype? = MPI_DATATYPE_NULL
    try check(
      MPI_Type_create_hindexed(Int32(counts.count), counts, addresses, UInt8.datatype, &type),
      "MPI_Type_create_hindexed")
    // The requests keep what they need of it.
    defer { MPI_Type_free(&type) }
    try check(MPI_Type_commit(&type), "MPI_Type_commit")
    try body(MPI_BOTTOM, 1, type)
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

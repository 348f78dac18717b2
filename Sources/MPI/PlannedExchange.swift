import COpenMPI

/// Part of an exchange: elements that go to a rank, or come from it.
public struct Parcel<Element: MPIElement> {
  let rank: Int
  let elements: UnsafeMutableBufferPointer<Element>
  let tag: Int

  /// - Parameter tag: tells parcels between the same two ranks apart; added to the exchange's.
  public init(rank: Int, elements: UnsafeMutableBufferPointer<Element>, tag: Int = 0) {
    self.rank = rank
    self.elements = elements
    self.tag = tag
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

  /// Plans the messages; empty parcels are none. Every rank must call this, with parcels that match.
  /// - Parameters:
  ///   - tag: tells exchanges apart that are under way at the same time; the same on every rank.
  ///   - owner: keeps the memory of all parcels for as long as it lives.
  /// - Throws: ``MPIError``.
  public init<Element: MPIElement>(
    sending sent: [Parcel<Element>], receiving received: [Parcel<Element>], tag: Int,
    owner: AnyObject, over communicator: Communicator
  ) throws {
    self.owner = owner
    let (sent, received) = (
      sent.filter { !$0.elements.isEmpty }, received.filter { !$0.elements.isEmpty }
    )
    requests = .allocate(capacity: sent.count + received.count)
    requests.initialize(repeating: MPI_REQUEST_NULL)
    // Receives first: a message that is expected needs no copy.
    for (index, parcel) in received.enumerated() {
      let count = try messageCount(parcel.elements.count, "MPI_Recv_init")
      try check(
        MPI_Recv_init(
          parcel.elements.baseAddress, count, Element.datatype, Int32(parcel.rank),
          Int32(tag + parcel.tag),
          communicator.handle, &requests[index]),
        "MPI_Recv_init of \(count) elements from rank \(parcel.rank)")
    }
    for (index, parcel) in sent.enumerated() {
      let count = try messageCount(parcel.elements.count, "MPI_Send_init")
      try check(
        MPI_Send_init(
          parcel.elements.baseAddress, count, Element.datatype, Int32(parcel.rank),
          Int32(tag + parcel.tag),
          communicator.handle, &requests[received.count + index]),
        "MPI_Send_init of \(count) elements to rank \(parcel.rank)")
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

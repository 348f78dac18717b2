import COpenMPI

/// A group of ranks that talk to each other (MPI-3.1 chapter 6).
///
/// All exchanges are collective: every rank of the communicator must make the same calls in the same order.
public struct Communicator {
  let handle: MPI_Comm
  /// This process's number, from 0.
  public let rank: Int
  /// How many ranks there are.
  public let rankCount: Int
  private let largestTag: Int32
  /// Nil where ranks are awaited for as long as it takes.
  let startWatch: StartWatch?

  init(_ handle: MPI_Comm, _ startWatch: StartWatch?) throws {
    var (rank, size): (Int32, Int32) = (0, 0)
    try check(MPI_Comm_rank(handle, &rank), "MPI_Comm_rank")
    try check(MPI_Comm_size(handle, &size), "MPI_Comm_size")
    (self.handle, self.startWatch) = (handle, startWatch)
    self.rank = Int(rank)
    rankCount = Int(size)
    largestTag = try Self.largestTag()
  }

  /// All ranks but this one, the next one first: not all begin with the same.
  public var otherRanks: [Int] { (1..<max(rankCount, 1)).map { (rank + $0) % rankCount } }
}

extension Communicator {
  /// The largest tag that a message can have (MPI_TAG_UB, MPI-3.1 section 8.1.2).
  /// - Throws: ``MPIError``.
  private static func largestTag() throws -> Int32 {
    var value: UnsafeMutableRawPointer?
    var flag: Int32 = 0
    try check(
      MPI_Comm_get_attr(MPI_COMM_WORLD, Int32(MPI_TAG_UB), &value, &flag), "MPI_Comm_get_attr")
    guard flag != 0, let value else { return 32767 }
    return value.load(as: Int32.self)
  }

  /// A number as a tag of messages; the largest one is nobody's.
  /// - Throws: ``MPIError``.
  func tag(_ number: Int) throws -> Int32 {
    guard number < Int(largestTag) else {
      throw MPIError(code: MPI_ERR_TAG, call: "a message with tag \(number)")
    }
    return Int32(number)
  }

  /// Lets messages move that nobody waits for any more (MPI_Iprobe; MPI-3.1 section 3.7.4 on progress).
  /// - Throws: ``MPIError``.
  public func makeProgress() throws {
    var flag: Int32 = 0
    // For a message that never comes: MPI looks at all connections.
    try check(
      MPI_Iprobe(MPI_ANY_SOURCE, largestTag, handle, &flag, MPI_STATUS_IGNORE), "MPI_Iprobe")
  }

  /// Opens the connections to some ranks, each from its lower rank's end, and sees that bytes go both ways. Each of
  /// these must call this with this rank.
  ///
  /// Where both ends begin at the same time, Open MPI's TCP (4.1) now and then keeps two connections, and what was sent
  /// through one of them does not arrive.
  /// - Throws: ``MPIError``.
  public func connect(to ranks: Set<Int>, tag: Int) throws {
    let mpiTag = try self.tag(tag)
    let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1)
    bytes.initialize(repeating: 0)
    defer { bytes.deallocate() }
    func send(to others: [Int]) throws {
      for other in others {
        try startWatch.wait(for: other) {
          try check(
            MPI_Send(bytes.baseAddress, 1, UInt8.datatype, Int32(other), mpiTag, handle),
            "MPI_Send to rank \(other)")
        }
      }
    }
    func receive(from others: [Int]) throws {
      for other in others {
        try startWatch.wait(for: other) {
          try check(
            MPI_Recv(
              bytes.baseAddress, 1, UInt8.datatype, Int32(other), mpiTag, handle, MPI_STATUS_IGNORE),
            "MPI_Recv from rank \(other)")
        }
      }
    }
    // A byte needs no receiver to be ready: lower ranks' are on their way before anybody waits.
    let (lower, higher) = (ranks.filter { $0 < rank }.sorted(), ranks.filter { $0 > rank }.sorted())
    try send(to: higher)
    try receive(from: lower)
    try send(to: lower)
    try receive(from: higher)
  }
}

extension Communicator {
  /// The tag of messages by which ranks meet before the first collective call.
  public static let firstConnectionTag = 0

  /// Opens the connections that collective calls use: to ranks a power of two away. Every rank must call this, before
  /// any collective call.
  /// - Throws: ``MPIError``.
  func connectForCollectives() throws {
    var peers: Set<Int> = []
    var distance = 1
    while distance < rankCount {
      peers.formUnion([
        (rank + distance) % rankCount, (rank - distance + rankCount) % rankCount, rank ^ distance,
      ])
      distance *= 2
    }
    try connect(
      to: peers.filter { $0 != rank && $0 < rankCount }, tag: Self.firstConnectionTag)
  }
}

/// Collective communication (MPI-3.1 chapter 5).
extension Communicator {
  /// Waits until all ranks are here (MPI_Barrier). Every rank must call this.
  public func barrier() throws {
    try check(MPI_Barrier(handle), "MPI_Barrier")
  }

  /// Copies the root's buffer to all ranks (MPI_Bcast); buffers of any size. Every rank must call this.
  /// - Throws: ``MPIError``.
  public func broadcast<Element: MPIElement>(
    _ buffer: UnsafeMutableBufferPointer<Element>, from root: Int
  ) throws {
    let longestMessage = 1 << 28
    var offset = 0
    while offset < buffer.count {
      let count = min(longestMessage, buffer.count - offset)
      try check(
        MPI_Bcast(
          buffer.baseAddress.map { $0 + offset }, try messageCount(count, "MPI_Bcast"),
          Element.datatype, Int32(root), handle),
        "MPI_Bcast of \(count) elements from rank \(root)")
      offset += count
    }
  }

  /// The root's value, on all ranks. Every rank must call this.
  public func broadcast<Element: MPIElement>(_ value: Element, from root: Int) throws -> Element {
    var value = value
    try withUnsafeMutablePointer(to: &value) {
      try broadcast(UnsafeMutableBufferPointer(start: $0, count: 1), from: root)
    }
    return value
  }

  /// The root's elements, as many as it has, on all ranks. Every rank must call this.
  public func broadcast<Element: MPIElement>(
    _ elements: [Element], from root: Int
  ) throws -> [Element] {
    let count = try broadcast(elements.count, from: root)
    return try [Element](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      if rank == root { _ = buffer.update(fromContentsOf: elements) }
      try broadcast(UnsafeMutableBufferPointer(rebasing: buffer[..<count]), from: root)
      initializedCount = count
    }
  }

  /// Gathers as many elements from each rank, in rank order, on all ranks (MPI_Allgather). Every rank must call this.
  /// - Parameter all: `[ranks, contribution.count]`.
  /// - Throws: ``MPIError``.
  public func allGather<Element: MPIElement>(
    _ contribution: UnsafeBufferPointer<Element>, into all: UnsafeMutableBufferPointer<Element>
  ) throws {
    precondition(all.count == rankCount * contribution.count, "a gather of unequal parts")
    let count = try messageCount(contribution.count, "MPI_Allgather")
    try check(
      MPI_Allgather(
        contribution.baseAddress, count, Element.datatype, all.baseAddress, count,
        Element.datatype, handle),
      "MPI_Allgather of \(count) elements a rank")
  }

  /// The values of all ranks, in rank order. Every rank must call this.
  public func allGather<Element: MPIElement>(_ value: Element) throws -> [Element] {
    var all = [Element](repeating: value, count: rankCount)
    try all.withUnsafeMutableBufferPointer { all in
      try withUnsafePointer(to: value) {
        try allGather(UnsafeBufferPointer(start: $0, count: 1), into: all)
      }
    }
    return all
  }

  /// The elements of each rank, as many as it has, in rank order on the root; nothing on all others (MPI_Gatherv).
  /// Every rank must call this.
  /// - Throws: ``MPIError``, also for more elements together than one message can name.
  public func gather<Element: MPIElement>(
    _ elements: [Element], at root: Int
  ) throws -> [[Element]] {
    let counts = try allGather(elements.count)
    var offsets = [0]
    for count in counts { offsets.append(offsets[offsets.count - 1] + count) }
    let messageCounts = try counts.map { try messageCount($0, "MPI_Gatherv") }
    let messageOffsets = try offsets.map { try messageCount($0, "MPI_Gatherv") }
    let total = rank == root ? offsets[rankCount] : 0
    let all = try [Element](unsafeUninitializedCapacity: total) { buffer, initializedCount in
      try check(
        MPI_Gatherv(
          elements, messageCounts[rank], Element.datatype, buffer.baseAddress, messageCounts,
          messageOffsets, Element.datatype, Int32(root), handle),
        "MPI_Gatherv of \(elements.count) elements to rank \(root)")
      initializedCount = total
    }
    guard rank == root else { return [] }
    return (0..<rankCount).map { Array(all[offsets[$0]..<offsets[$0 + 1]]) }
  }

  /// The texts of all ranks, in rank order. Every rank must call this.
  public func allGather(_ text: String) throws -> [String] {
    let bytes = Array(text.utf8)
    let lengths = try allGather(bytes.count)
    let longest = lengths.max() ?? 0
    let padded = bytes + [UInt8](repeating: 0, count: longest - bytes.count)
    var all = [UInt8](repeating: 0, count: longest * rankCount)
    try all.withUnsafeMutableBufferPointer { all in
      try padded.withUnsafeBufferPointer { try allGather($0, into: all) }
    }
    return lengths.enumerated().map { rank, length in
      String(decoding: all[rank * longest..<rank * longest + length], as: UTF8.self)
    }
  }

  /// The root's text, on all ranks. Every rank must call this.
  /// - Throws: ``MPIError``.
  public func broadcast(_ text: String, from root: Int) throws -> String {
    var bytes = rank == root ? Array(text.utf8) : []
    let length = try broadcast(bytes.count, from: root)
    if rank != root { bytes = [UInt8](repeating: 0, count: length) }
    try bytes.withUnsafeMutableBufferPointer { try broadcast($0, from: root) }
    return String(decoding: bytes, as: UTF8.self)
  }
}

import Glibc
import Synchronization

/// A rank's last operations, in a small file mapped into memory: it outlives the process, however that ends.
///
/// Recording costs two readings of the clock and a few stores. One thread records.
public final class FlightRecorder {
  /// The global training step, from 0, that operations are recorded with.
  public var step = 0
  /// The number of the last operation, from 1; 0 before the first.
  public private(set) var operationCount = 0
  private let fileName: String
  private let base: UnsafeMutableRawPointer
  private let size: Int
  private let slots: UnsafeMutableRawPointer
  private let slotCount: Int
  private let nameCapacity: Int
  private var nameCount = 0

  /// Begins to record in memory, until ``keep(in:)`` names a folder.
  /// - Parameters:
  ///   - slotCount: how many operations are remembered.
  ///   - nameCapacity: how many exchanges can have a name.
  /// - Throws: ``FlightRecordError`` if there is no memory.
  public init(
    rank: Int, rankCount: Int, hostName: String, slotCount: Int = 1024, nameCapacity: Int = 128
  ) throws {
    typealias Format = FlightRecordFormat
    precondition(
      Format.slotCountRange.contains(slotCount) && Format.nameCapacityRange.contains(nameCapacity))
    size = Format.fileSize(nameCapacity: nameCapacity, slotCount: slotCount)
    fileName = Format.fileName(rank: rank)
    guard
      let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      base != MAP_FAILED
    else { throw FlightRecordError(path: fileName) }
    self.base = base
    slots = base + Format.slotsOffset(nameCapacity: nameCapacity)
    (self.slotCount, self.nameCapacity) = (slotCount, nameCapacity)

    base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    func put(_ value: Int, at offset: Int) {
      base.storeBytes(of: UInt32(truncatingIfNeeded: value), toByteOffset: offset, as: UInt32.self)
    }
    put(Int(Format.version), at: Format.versionOffset)
    put(rank, at: Format.rankOffset)
    put(rankCount, at: Format.rankCountOffset)
    put(Int(getpid()), at: Format.processOffset)
    put(slotCount, at: Format.slotCountOffset)
    put(nameCapacity, at: Format.nameCapacityOffset)
    Self.store(hostName, to: base + Format.hostOffset, size: Format.hostSize)
    base.storeBytes(of: Format.magic, toByteOffset: Format.magicOffset, as: UInt64.self)
  }

  /// Makes the rank's file in the folder, and records there.
  /// - Throws: ``FlightRecordError`` if the file cannot be made.
  public convenience init(
    folder: String, rank: Int, rankCount: Int, hostName: String, slotCount: Int = 1024,
    nameCapacity: Int = 128
  ) throws {
    try self.init(
      rank: rank, rankCount: rankCount, hostName: hostName, slotCount: slotCount,
      nameCapacity: nameCapacity)
    try keep(in: folder)
  }

  /// Makes the rank's file in the folder, with what is recorded already; what was there before is
  /// gone.
  ///
  /// The file takes the place of the memory at the same address, so that recording need not look
  /// where it goes.
  /// - Throws: ``FlightRecordError`` if the file cannot be made; recording goes on in memory then.
  public func keep(in folder: String) throws {
    try Self.map(folder + "/" + fileName, size: size, at: base)
  }

  deinit { munmap(base, size) }

  /// Gives the next exchange its name (long ones are cut), before training.
  /// - Returns: its index, for ``enter(name:byteCount:)``.
  public func register(name: String) -> Int {
    defer { nameCount += 1 }
    guard nameCount < nameCapacity else { return nameCount }
    let place = FlightRecordFormat.namesOffset + nameCount * FlightRecordFormat.nameSize
    Self.store(name, to: base + place, size: FlightRecordFormat.nameSize)
    atomicMemoryFence(ordering: .releasing)
    base.storeBytes(
      of: UInt32(nameCount + 1), toByteOffset: FlightRecordFormat.nameCountOffset, as: UInt32.self)
    return nameCount
  }

  /// Records that this rank enters an operation, and with how many bytes of its own.
  @inline(__always)
  public func enter(name: Int, byteCount: Int) {
    typealias Format = FlightRecordFormat
    let time = Self.now()
    operationCount += 1
    let slot = slots + (operationCount - 1) % slotCount * Format.slotSize
    // A process may be killed between any two stores, so their order says what is whole: the seal is broken
    // before anything changes, and set when everything is there.
    Self.store(0, to: slot + Format.sealOffset)
    atomicMemoryFence(ordering: .releasing)
    Self.store(operationCount, to: slot + Format.numberOffset)
    Self.store(name, to: slot + Format.nameOffset)
    Self.store(step, to: slot + Format.stepOffset)
    Self.store(byteCount, to: slot + Format.byteCountOffset)
    Self.store(time, to: slot + Format.enteredOffset)
    Self.store(0, to: slot + Format.leftOffset)
    atomicMemoryFence(ordering: .releasing)
    Self.store(operationCount, to: slot + Format.sealOffset)
  }

  /// Records that this rank has left the operation that it entered last.
  @inline(__always)
  public func leave() {
    let slot = slots + (operationCount - 1) % slotCount * FlightRecordFormat.slotSize
    Self.store(Self.now(), to: slot + FlightRecordFormat.leftOffset)
  }

  /// Wall clock, in nanoseconds since the epoch.
  @inline(__always)
  private static func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// One store of 8 bytes, which no reader sees in part.
  @inline(__always)
  private static func store(_ value: Int, to place: UnsafeMutableRawPointer) {
    place.assumingMemoryBound(to: Atomic<Int>.self).pointee.store(value, ordering: .relaxed)
  }

  /// A text with a zero behind it, cut where it is too long.
  private static func store(_ text: String, to place: UnsafeMutableRawPointer, size: Int) {
    var kept = text[...]
    while kept.utf8.count >= size { kept.removeLast() }
    for (index, byte) in kept.utf8.enumerated() {
      place.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
  }

  /// Puts a new file in the place of the memory at `base`, which it begins with the content of.
  private static func map(
    _ path: String, size: Int, at base: UnsafeMutableRawPointer
  ) throws {
    // A file of its own: what was there may be a link to something, or another process may have
    // it in its memory and would die if it got shorter.
    unlink(path)
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FlightRecordError(path: path) }
    defer { close(descriptor) }
    // Room on the disk now, or a store would kill the process once the disk is full.
    let code = posix_fallocate(descriptor, 0, size)
    guard code == 0 else { throw FlightRecordError(path: path, code: code) }
    let protection = PROT_READ | PROT_WRITE
    guard let copy = mmap(nil, size, protection, MAP_SHARED, descriptor, 0), copy != MAP_FAILED
    else { throw FlightRecordError(path: path) }
    copy.copyMemory(from: base, byteCount: size)
    munmap(copy, size)
    guard mmap(base, size, protection, MAP_SHARED | MAP_FIXED, descriptor, 0) != MAP_FAILED
    else { throw FlightRecordError(path: path) }
    // Every page is written to now, so that no step has to wait for one.
    for page in stride(from: 0, to: size, by: 4096) {
      base.storeBytes(
        of: base.load(fromByteOffset: page, as: UInt8.self), toByteOffset: page, as: UInt8.self)
    }
  }
}

import MNISTFamily
import Testing

@Suite struct ByteStorageTests {
  @Test func growsOnlyAsBytesArrive() throws {
    let storage = try #require(ByteStorage(growingTo: 1 << 50))
    for _ in 0..<40 {
      let room = try #require(storage.room(upTo: 100_000))
      #expect(room.count == 100_000)
      storage.fill(room.count)
      #expect(storage.capacity <= max(1 << 20, 2 * storage.count))
    }
  }

  @Test func givesNoRoomPastItsLimit() throws {
    let storage = try #require(ByteStorage(growingTo: 10))
    #expect(storage.room(upTo: 7)?.count == 7)
    storage.fill(7)
    #expect(storage.room(upTo: 7)?.count == 3)
  }

  @Test func keepsBytesWhenItGrows() throws {
    let storage = try #require(ByteStorage(growingTo: 5 << 20))
    while storage.count < storage.limit {
      let room = try #require(storage.room(upTo: 1 << 19))
      room.initializeMemory(as: UInt8.self, repeating: UInt8(storage.count >> 19))
      storage.fill(room.count)
    }
    #expect((0..<10).allSatisfy { storage.bytes[$0 << 19] == UInt8($0) })
    #expect(storage.capacity == 5 << 20)
  }

  @Test func zeroedStorageIsZero() throws {
    let storage = try #require(ByteStorage(zeroed: 1000))
    #expect(storage.bytes.count == 1000 && storage.bytes.allSatisfy { $0 == 0 })
  }
}

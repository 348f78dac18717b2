import Testing

@testable import Memory

@Suite struct MemoryTests {
  @Test func whatThereIsIsGivenAligned() throws {
    let memory = try Memory.allocate(byteCount: 100, alignment: 4096, for: "a test")
    defer { Memory.free(memory) }
    #expect(Int(bitPattern: memory).isMultiple(of: 4096))
    memory.storeBytes(of: 7, toByteOffset: 88, as: Int.self)
    #expect(memory.load(fromByteOffset: 88, as: Int.self) == 7)
  }

  @Test(arguments: [Int.max - 1, Int.max / 2, 1 << 47])
  func whatThereIsNotIsAnError(byteCount: Int) {
    func expectRefused(_ body: () throws(MemoryError) -> Void) {
      do throws(MemoryError) {
        try body()
        Issue.record("\(byteCount) bytes were given")
      } catch {
        #expect(error.byteCount == byteCount)
        #expect(
          "\(error)".hasPrefix("no memory for \(byteCount) bytes, wanted for a test: "), "\(error)")
      }
    }
    expectRefused { () throws(MemoryError) in
      Memory.free(try Memory.allocate(byteCount: byteCount, for: "a test"))
    }
    expectRefused { () throws(MemoryError) in try Memory.demand(byteCount, for: "a test") }
  }

  @Test func whatCannotBeCountedIsAnError() throws {
    #expect(throws: MemoryError.self) {
      try Memory.product(1 << 32, 1 << 31, for: "a test")
    }
    #expect(throws: MemoryError.self) {
      try Memory.byteCount(of: 1 << 61, Float.self, for: "a test")
    }
    #expect(throws: MemoryError.self) { try Memory.byteCount(of: -1, Float.self, for: "a test") }
    #expect(try Memory.product(3, 4, 5, for: "a test") == 60)
    #expect(try Memory.byteCount(of: 3, Double.self, for: "a test") == 24)
  }

  @Test func askingKeepsNothing() throws {
    for _ in 0..<1000 { try Memory.demand(1 << 30, for: "a test") }
  }
}

@Suite struct MemoryLimitTests {
  @Test func theSmallestLimitCounts() {
    func limit(_ groups: [String]) -> MemoryLimit {
      MemoryLimit.smallest(memory: 1000, swap: 10, ofGroups: groups)
    }
    let machine = MemoryLimit(name: "this machine", byteCount: 1010)
    #expect(limit([]) == machine)
    #expect(limit(["max\n", "9223372036854771712\n", "\(Int.max)\n", "", "nonsense"]) == machine)
    #expect(limit(["max\n", "500\n", "700\n"]).byteCount == 510)
    #expect(limit(["500"]).name == "the control group of this process")
  }

  @Test func theSystemsListIsRead() {
    let list = "MemTotal:       24689280 kB\nMemFree:        100 kB\nSwapTotal:             0 kB\n"
    #expect(MemoryLimit.byteCount("MemTotal", in: list) == 24_689_280 << 10)
    #expect(MemoryLimit.byteCount("SwapTotal", in: list) == 0)
    #expect(MemoryLimit.byteCount("Swap", in: list) == nil)
  }

  @Test func thisMachineHasMemory() throws {
    #expect(try #require(MemoryLimit.here).byteCount > 1 << 20)
  }
}

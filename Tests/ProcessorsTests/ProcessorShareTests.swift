import Processors
import Testing

/// Ranks of made-up hosts.
@Suite struct ProcessorShareTests {
  private func ranks(_ masks: [String], quota: Double? = nil) -> [RankProcessors] {
    masks.map { list in
      RankProcessors(
        mask: ProcessorSet(list: list)!,
        quota: quota.map { CgroupQuota(processors: $0, group: "/job") })
    }
  }

  private func threads(
    _ masks: [String], quota: Double? = nil, core: (Int) -> Int = { $0 }
  ) -> [Int] {
    ProcessorShare.shares(of: ranks(masks, quota: quota), core: core).map(\.threadCount)
  }

  @Test(arguments: [
    // One rank has all.
    (["0-3"], [4]), (["0"], [1]), (["0-127"], [128]),
    // Three and more ranks are bound to a socket each: the mask is everybody's.
    (["0-3", "0-3", "0-3", "0-3"], [1, 1, 1, 1]), (["0-3", "0-3"], [2, 2]),
    (["0-7", "0-7", "0-7"], [2, 2, 2]),
    // Two sockets, two ranks on each.
    (["0-31", "0-31", "32-63", "32-63"], [16, 16, 16, 16]),
    // A processor for each, or two.
    (["0", "1"], [1, 1]), (["0-1", "2-3"], [2, 2]),
    // More ranks than processors.
    (["0-1", "0-1", "0-1", "0-1"], [1, 1, 1, 1]), (["0", "0"], [1, 1]),
    // Unlike masks.
    (["0-3", "0"], [3, 1]), (["0-5", "4-5"], [5, 1]), (["0,2,4,6", "1,3,5,7"], [4, 4]),
  ])
  func aRankHasItsPartOfEachProcessor(masks: [String], expected: [Int]) {
    #expect(threads(masks) == expected)
  }

  @Test(arguments: [2, 3, 6, 7, 49, 64, 128])
  func manyRanksThatShareAllGetOneEach(count: Int) {
    let all = "0-\(count - 1)"
    #expect(
      threads(Array(repeating: all, count: count)) == Array(repeating: 1, count: count))
  }

  /// Processors n and n + 4 are hardware threads of one core.
  @Test func hardwareThreadsOfACoreCountOnce() {
    let core = { $0 % 4 }
    #expect(threads(["0-7"], core: core) == [4])
    #expect(threads(["0-7", "0-7"], core: core) == [2, 2])
    #expect(threads(["0,4", "1,5"], core: core) == [1, 1])
    #expect(threads(["0", "4"], core: core) == [1, 1])
  }

  @Test func aQuotaCountsAsFewerProcessors() {
    #expect(threads(["0-7"], quota: 1) == [1])
    #expect(threads(["0-7"], quota: 2.5) == [2])
    #expect(threads(["0-7"], quota: 16) == [8])
    #expect(threads(["0-7", "0-7"], quota: 4) == [2, 2])
    #expect(threads(["0-7", "0-7"], quota: 0.5) == [1, 1])
  }

  @Test func groupsHaveQuotasOfTheirOwn() {
    let ranks = ["/a", "/b"].map {
      RankProcessors(
        mask: ProcessorSet(list: "0-7")!, quota: CgroupQuota(processors: 3, group: $0))
    }
    #expect(ProcessorShare.shares(of: ranks, core: { $0 }).map(\.threadCount) == [3, 3])
  }

  /// Who shares a processor must not spin.
  @Test func thereIsRoomForThreadsThatHaveProcessors() {
    func room(_ masks: [String], _ threads: Int, quota: Double? = nil) -> Bool {
      ProcessorShare.shares(of: ranks(masks, quota: quota), core: { $0 % 4 })[0]
        .hasRoom(forThreads: threads)
    }
    #expect(room(["0-1", "0-1"], 1))
    #expect(!room(["0-1", "0-1"], 2))
    #expect(!room(["0-1", "0-1", "0-1"], 1))
    #expect(room(["0", "4"], 1))
    #expect(room(["0-7"], 8))
    #expect(!room(["0-7"], 1, quota: 0.5))
    #expect(!room(["0-3", "0-3"], 1, quota: 1))
  }

  /// A system that does not tell its masks has at least one processor.
  @Test func anEmptyMaskIsOneThread() {
    let share = ProcessorShare.shares(
      of: [RankProcessors(mask: ProcessorSet([]), quota: nil)], core: { $0 })[0]
    #expect(share.threadCount == 1 && share.processorsOfHost == 1)
  }

  @Test(arguments: [nil, CgroupQuota(processors: 1.5, group: "/kube pods/a\nb")])
  func aRankTellsOthersWhatItSees(quota: CgroupQuota?) {
    let rank = RankProcessors(mask: ProcessorSet(list: "0-3,9")!, quota: quota)
    #expect(RankProcessors(encoded: rank.encoded) == rank)
    #expect(RankProcessors(encoded: "x\n") == nil)
    #expect(RankProcessors(encoded: "") == nil)
  }

  @Test func thisProcessHasAProcessor() {
    #expect(!ProcessorSet.ofThisProcess().numbers.isEmpty)
    let first = ProcessorSet.ofThisProcess().numbers[0]
    #expect(ProcessorShare.coreOfThisMachine(first) <= first)
  }
}

@Suite struct ProcessorSetTests {
  @Test(arguments: ["0", "0-3", "0-3,8", "1,3,5", "0-127"])
  func aListIsWrittenAsItWasRead(list: String) {
    #expect(ProcessorSet(list: list)?.description == list)
  }

  @Test(arguments: ["", "a", "3-1", "-1", "1-", "0,,1", "1-2-3", "0-99999999999", " 1"])
  func whatIsNoListIsNil(list: String) {
    #expect(ProcessorSet(list: list) == nil)
  }
}

@Suite struct OpenMPVariablesTests {
  private func threads(_ variables: [String: String], share: Int = 8) -> Int {
    OpenMPVariables { variables[$0] }.threadCount(ofShare: share)
  }

  @Test func theyCountBeforeTheShare() {
    #expect(threads([:]) == 8)
    #expect(threads(["OMP_NUM_THREADS": "3"]) == 3)
    #expect(threads(["OMP_NUM_THREADS": " 16 "]) == 16)
    #expect(threads(["OMP_NUM_THREADS": "4,2"]) == 4)
    #expect(threads(["OMP_THREAD_LIMIT": "5"]) == 5)
    #expect(threads(["OMP_THREAD_LIMIT": "5"], share: 2) == 2)
    #expect(threads(["OMP_NUM_THREADS": "9", "OMP_THREAD_LIMIT": "5"]) == 5)
  }

  @Test(arguments: ["", "many", "0", "-2", "1.5", "99999999999999999999"])
  func nonsenseIsAsIfNotSet(value: String) {
    #expect(threads(["OMP_NUM_THREADS": value, "OMP_THREAD_LIMIT": value]) == 8)
  }
}

import KernelFiles

/// What a rank sees of its host's processors.
public struct RankProcessors: Equatable, Sendable {
  /// Those that it may run on.
  public let mask: ProcessorSet
  /// What its control group lets it use; nil for no limit.
  public let quota: CgroupQuota?

  public init(mask: ProcessorSet, quota: CgroupQuota?) { (self.mask, self.quota) = (mask, quota) }

  /// Of this process.
  public static func ofThisProcess() -> RankProcessors {
    RankProcessors(mask: .ofThisProcess(), quota: .ofThisProcess())
  }

  /// One text, to be told to other ranks.
  public var encoded: String {
    "\(mask)\n" + (quota.map { "\($0.processors)\n\($0.group)" } ?? "")
  }

  /// What another rank told; nil for anything else.
  public init?(encoded: String) {
    let lines = encoded.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false)
    guard lines.count >= 2 else { return nil }
    let mask = lines[0].isEmpty ? ProcessorSet([]) : ProcessorSet(list: lines[0])
    guard let mask else { return nil }
    let quota = lines.count == 3 ? Double(lines[1]) : nil
    self.init(
      mask: mask, quota: quota.map { CgroupQuota(processors: $0, group: String(lines[2])) })
  }
}

/// A rank's part of its host's processors, which others may use as well.
public struct ProcessorShare: Equatable, Sendable {
  /// Threads that it can have without taking another's processor; at least 1.
  public let threadCount: Int
  /// Processors' worth of time for it: below 1 where ranks outnumber processors.
  public let processors: Double
  /// Processors that the ranks of the host may run on, together.
  public let processorsOfHost: Int
  /// What its control group lets it use, together with the ranks of the same group; nil for no limit.
  public let quota: Double?

  /// Whether so many threads leave each a processor of its own: if not, who waits must not spin.
  public func hasRoom(forThreads count: Int) -> Bool { Double(count) <= processors + 1e-9 }

  /// Shares out the processors of a host: a rank gets 1 / n of each that it may run on, where n ranks may.
  ///
  /// Nothing is assumed of how ranks are bound: the masks tell. Threads are counted by cores, since
  /// two hardware threads of a core multiply no faster than one.
  /// - Parameters:
  ///   - ranks: what each rank of the host sees.
  ///   - core: the core that a processor is part of, by any number that its other processors have, too.
  /// - Returns: in the order of the ranks.
  public static func shares(
    of ranks: [RankProcessors], core: (Int) -> Int
  ) -> [ProcessorShare] {
    var ranksOfProcessor: [Int: Int] = [:]
    var ranksOfCore: [Int: Int] = [:]
    let coresOfRanks = ranks.map { Set($0.mask.numbers.map(core)) }
    for (rank, cores) in zip(ranks, coresOfRanks) {
      for processor in rank.mask.numbers { ranksOfProcessor[processor, default: 0] += 1 }
      for core in cores { ranksOfCore[core, default: 0] += 1 }
    }
    func parts(_ numbers: some Sequence<Int>, _ ranksOf: [Int: Int]) -> Double {
      // Summed from the smallest, so that the order of a set does not matter.
      numbers.map { 1 / Double(ranksOf[$0] ?? 1) }.sorted().reduce(0, +)
    }
    return zip(ranks, coresOfRanks).map { rank, cores in
      var (processors, coreCount) = (
        parts(rank.mask.numbers, ranksOfProcessor), parts(cores, ranksOfCore)
      )
      if let quota = rank.quota {
        let sharing = ranks.count { $0.quota?.group == quota.group }
        processors = min(processors, quota.processors / Double(sharing))
        coreCount = min(coreCount, processors)
      }
      return ProcessorShare(
        threadCount: max(1, Int(coreCount + 1e-9)), processors: processors,
        processorsOfHost: max(ranksOfProcessor.count, 1), quota: rank.quota?.processors)
    }
  }

  /// The core of a processor, by the first of its hardware threads, as Linux tells.
  public static func coreOfThisMachine(_ processor: Int) -> Int {
    let path = "/sys/devices/system/cpu/cpu\(processor)/topology/thread_siblings_list"
    let siblings = KernelFile.text(path).flatMap { text in
      ProcessorSet(list: text.prefix { $0 != "\n" })
    }
    return siblings?.numbers.first ?? processor
  }
}

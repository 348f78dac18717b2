import KernelFiles

/// How much of the processors a control group lets its processes use.
public struct CgroupQuota: Equatable, Sendable {
  /// Processors' worth of time, such as 1.5.
  public let processors: Double
  /// The group that has the limit: processes of the same group share it.
  public let group: String

  public init(processors: Double, group: String) {
    (self.processors, self.group) = (processors, group)
  }

  /// The quota of this process; nil if there is none.
  public static func ofThisProcess() -> CgroupQuota? {
    CgroupQuota(ControlGroup.ofThisProcess(limiting: "cpu"), read: KernelFile.text)
  }

  /// The tightest limit of some groups; nil if there is none.
  /// - Parameter read: gives the content of a file; nil if there is none.
  init?(_ groups: [ControlGroup], read: (String) -> String?) {
    let quotas = groups.compactMap { group in
      Self.limit(of: group, read: read).map {
        CgroupQuota(processors: $0, group: group.folder)
      }
    }
    guard let tightest = quotas.min(by: { $0.processors < $1.processors }) else { return nil }
    self = tightest
  }

  private static func limit(of group: ControlGroup, read: (String) -> String?) -> Double? {
    let texts =
      group.isUnified
      ? read(group.folder + "/cpu.max")?.split { $0 == " " || $0 == "\n" }.map(String.init)
      : ["cpu.cfs_quota_us", "cpu.cfs_period_us"].compactMap {
        read("\(group.folder)/\($0)")?.split(separator: "\n").first.map(String.init)
      }
    // "max", or -1 in version 1, is no limit.
    guard let texts, texts.count == 2, let quota = Double(texts[0]), let period = Double(texts[1]),
      quota > 0, period > 0
    else { return nil }
    return quota / period
  }
}

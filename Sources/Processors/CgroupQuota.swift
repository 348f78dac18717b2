/// How much of the processors a control group lets its processes use: containers and batch systems set it.
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
    guard let groups = TextFile.read("/proc/self/cgroup"),
      let mounts = TextFile.read("/proc/self/mountinfo")
    else { return nil }
    return CgroupQuota(groups: groups, mounts: mounts, read: TextFile.read)
  }

  /// The tightest limit from the process's own groups up to the roots that can be seen; nil if there is none.
  /// - Parameters:
  ///   - groups: the content of /proc/self/cgroup.
  ///   - mounts: the content of /proc/self/mountinfo.
  ///   - read: gives the content of a file; nil if there is none.
  init?(groups: String, mounts: String, read: (String) -> String?) {
    let hierarchies = Hierarchy.all(mounts: mounts)
    var tightest: CgroupQuota?
    for line in groups.split(separator: "\n") {
      // "4:cpu,cpuacct:/path" in version 1, "0::/path" in version 2.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isUnified = fields[1].isEmpty
      guard isUnified || fields[1].split(separator: ",").contains("cpu") else { continue }
      for hierarchy in hierarchies where hierarchy.isUnified == isUnified {
        for folder in hierarchy.folders(ofGroup: String(fields[2])) {
          guard let limit = Self.limit(of: folder, isUnified: isUnified, read: read),
            limit < tightest?.processors ?? .infinity
          else { continue }
          tightest = CgroupQuota(processors: limit, group: folder)
        }
      }
    }
    guard let tightest else { return nil }
    self = tightest
  }

  private static func limit(
    of folder: String, isUnified: Bool, read: (String) -> String?
  ) -> Double? {
    let texts =
      isUnified
      ? read(folder + "/cpu.max")?.split { $0 == " " || $0 == "\n" }.map(String.init)
      : [read(folder + "/cpu.cfs_quota_us"), read(folder + "/cpu.cfs_period_us")]
        .compactMap { $0?.split(separator: "\n").first.map(String.init) }
    // "max", or -1 in version 1, is no limit.
    guard let texts, texts.count == 2, let quota = Double(texts[0]), let period = Double(texts[1]),
      quota > 0, period > 0
    else { return nil }
    return quota / period
  }

  /// A tree of control groups that can limit time, as it is mounted.
  private struct Hierarchy {
    let isUnified: Bool
    /// The group that is seen at the mount point.
    let root: String
    let mountPoint: String

    static func all(mounts: String) -> [Hierarchy] {
      mounts.split(separator: "\n").compactMap { line in
        // ID PARENT DEVICE ROOT MOUNTPOINT OPTIONS … - TYPE SOURCE OPTIONS
        let fields = line.split(separator: " ")
        guard let dash = fields.firstIndex(of: "-"), dash >= 5, fields.count >= dash + 4 else {
          return nil
        }
        let isUnified = fields[dash + 1] == "cgroup2"
        let limitsTime =
          fields[dash + 1] == "cgroup" && fields[dash + 3].split(separator: ",").contains("cpu")
        guard isUnified || limitsTime else { return nil }
        return Hierarchy(
          isUnified: isUnified, root: String(fields[3]), mountPoint: String(fields[4]))
      }
    }

    /// The folders of a group and of those above it, the group's own first.
    func folders(ofGroup group: String) -> [String] {
      let prefix = root == "/" ? "" : root
      // A container often sees its own group as the root, but is told its name outside.
      guard group == prefix || group.hasPrefix(prefix + "/") else { return [mountPoint] }
      var parts = group.dropFirst(prefix.count).split(separator: "/")
      var folders: [String] = []
      while !parts.isEmpty {
        folders.append(mountPoint + "/" + parts.joined(separator: "/"))
        parts.removeLast()
      }
      return folders + [mountPoint]
    }
  }
}

/// A group of processes for which Linux limits something: containers and batch systems make them.
public struct ControlGroup: Equatable, Sendable {
  /// Where its files are.
  public let folder: String
  /// Whether it is of version 2, in which one tree limits everything.
  public let isUnified: Bool

  /// The groups of this process that can limit something, and those around them.
  /// - Parameter controller: what is limited, such as "cpu" or "memory".
  public static func ofThisProcess(limiting controller: String) -> [ControlGroup] {
    all(
      limiting: controller, groups: KernelFile.text("/proc/self/cgroup") ?? "",
      mounts: KernelFile.text("/proc/self/mountinfo") ?? "")
  }

  /// - Parameters:
  ///   - groups: the content of /proc/self/cgroup.
  ///   - mounts: the content of /proc/self/mountinfo.
  static func all(limiting controller: String, groups: String, mounts: String) -> [ControlGroup] {
    let trees = Tree.all(limiting: controller, mounts: mounts)
    return groups.split(separator: "\n").flatMap { line -> [ControlGroup] in
      // "4:cpu,cpuacct:/path" in version 1, "0::/path" in version 2.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return [] }
      let isUnified = fields[1].isEmpty
      guard isUnified || fields[1].split(separator: ",").contains(controller[...]) else {
        return []
      }
      return trees.filter { $0.isUnified == isUnified }.flatMap { tree in
        tree.folders(ofGroup: String(fields[2])).map {
          ControlGroup(folder: $0, isUnified: isUnified)
        }
      }
    }
  }

  /// A tree of groups, as it is mounted.
  private struct Tree {
    let isUnified: Bool
    /// The group that is seen at the mount point.
    let root: String
    let mountPoint: String

    static func all(limiting controller: String, mounts: String) -> [Tree] {
      mounts.split(separator: "\n").compactMap { line in
        // ID PARENT DEVICE ROOT MOUNTPOINT OPTIONS … - TYPE SOURCE OPTIONS
        let fields = line.split(separator: " ")
        guard let dash = fields.firstIndex(of: "-"), dash >= 5, fields.count >= dash + 4 else {
          return nil
        }
        let isUnified = fields[dash + 1] == "cgroup2"
        let isController =
          fields[dash + 1] == "cgroup"
          && fields[dash + 3].split(separator: ",").contains(controller[...])
        guard isUnified || isController else { return nil }
        return Tree(isUnified: isUnified, root: String(fields[3]), mountPoint: String(fields[4]))
      }
    }

    /// The folders of a group and of those around it, the group's own first.
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

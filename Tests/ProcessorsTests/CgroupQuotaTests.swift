import Testing

@testable import KernelFiles
@testable import Processors

/// Control groups of made-up machines.
@Suite struct CgroupQuotaTests {
  private func quota(
    groups: String, mounts: String, _ read: (String) -> String?
  ) -> CgroupQuota? {
    CgroupQuota(ControlGroup.all(limiting: "cpu", groups: groups, mounts: mounts), read: read)
  }

  private let unified = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
  private let separate = """
    31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
    32 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory

    """

  @Test func aLimitOfVersion2() {
    let files = ["/sys/fs/cgroup/job/a/cpu.max": "150000 100000\n"]
    let quota = quota(groups: "0::/job/a\n", mounts: unified) { files[$0] }
    #expect(quota == CgroupQuota(processors: 1.5, group: "/sys/fs/cgroup/job/a"))
  }

  @Test func aGroupAboveCanBeTighter() {
    let files = [
      "/sys/fs/cgroup/job/a/cpu.max": "400000 100000\n",
      "/sys/fs/cgroup/job/cpu.max": "200000 100000\n",
    ]
    let quota = quota(groups: "0::/job/a\n", mounts: unified) { files[$0] }
    #expect(quota == CgroupQuota(processors: 2, group: "/sys/fs/cgroup/job"))
  }

  @Test func maxIsNoLimit() {
    let files = ["/sys/fs/cgroup/job/cpu.max": "max 100000\n"]
    #expect(quota(groups: "0::/job\n", mounts: unified) { files[$0] } == nil)
  }

  @Test func aLimitOfVersion1() {
    let files = [
      "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "100000\n",
      "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "50000\n",
    ]
    let groups = "5:memory:/job\n4:cpu,cpuacct:/job\n"
    let quota = quota(groups: groups, mounts: separate) { files[$0] }
    #expect(
      quota == CgroupQuota(processors: 2, group: "/sys/fs/cgroup/cpu,cpuacct/job"))
  }

  @Test func minusOneIsNoLimit() {
    let files = [
      "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
    ]
    #expect(quota(groups: "4:cpu,cpuacct:/job\n", mounts: separate) { files[$0] } == nil)
  }

  /// A container sees its own group at the mount point.
  @Test(arguments: ["/docker/1234", "/"])
  func aContainerSeesItsOwnGroup(root: String) {
    let mounts = "30 24 0:26 \(root) /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    let files = ["/sys/fs/cgroup/cpu.max": "100000 100000\n"]
    let group = root == "/" ? "/../elsewhere" : root
    let quota = quota(groups: "0::\(group)\n", mounts: mounts) { files[$0] }
    #expect(quota?.processors == 1)
  }

  @Test(arguments: ["", "nonsense", "0:", "0::", "1:cpu", "\n\n", "4:cpu:relative"])
  func oddFilesAreNoLimit(text: String) {
    #expect(quota(groups: text, mounts: text) { _ in "x" } == nil)
    #expect(quota(groups: text, mounts: unified) { _ in "0 0" } == nil)
    #expect(quota(groups: "0::/a\n", mounts: text) { _ in "1 1" } == nil)
  }
}

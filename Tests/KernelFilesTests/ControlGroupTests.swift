import Testing

@testable import KernelFiles

/// Control groups of made-up machines.
@Suite struct ControlGroupTests {
  private func folders(_ controller: String, groups: String, mounts: String) -> [String] {
    ControlGroup.all(limiting: controller, groups: groups, mounts: mounts).map(\.folder)
  }

  @Test func theGroupsAroundOneCountToo() {
    let mounts = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    #expect(
      folders("memory", groups: "0::/a/b\n", mounts: mounts)
        == ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"])
  }

  /// Version 1 has a tree for each thing that is limited, or for some together.
  @Test func eachThingHasItsTree() {
    let mounts = """
      31 30 0:28 / /cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu,cpuacct
      32 30 0:29 / /cgroup/memory rw - cgroup cgroup rw,memory
      """
    let groups = "5:cpu,cpuacct:/x\n4:hugetlb,memory:/job\n"
    #expect(
      folders("memory", groups: groups, mounts: mounts)
        == ["/cgroup/memory/job", "/cgroup/memory"])
    #expect(folders("cpu", groups: groups, mounts: mounts) == ["/cgroup/cpu/x", "/cgroup/cpu"])
    #expect(folders("pids", groups: groups, mounts: mounts).isEmpty)
  }

  @Test func aFileThatIsNotThereIsNil() {
    #expect(KernelFile.text("/proc/self/nothing") == nil)
    #expect(KernelFile.text("/proc/self/cgroup") != nil)
  }
}

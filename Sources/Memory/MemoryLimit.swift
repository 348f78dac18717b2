import Glibc

/// The most memory that processes can have here: what the machine has, or what the control group leaves of it.
public struct MemoryLimit: Equatable, Sendable {
  /// Whose it is, such as "this machine".
  public let name: String
  /// Memory and swap together.
  public let byteCount: Int

  /// Of this process, as it was at its start; nil if the system does not tell.
  public static let here: MemoryLimit? = {
    let meminfo = text("/proc/meminfo") ?? ""
    guard let memory = byteCount("MemTotal", in: meminfo) else { return nil }
    return smallest(
      memory: memory, swap: byteCount("SwapTotal", in: meminfo) ?? 0,
      ofGroups: ControlGroups(text("/proc/self/cgroup") ?? "").memoryLimitFiles.compactMap(text))
  }()

  /// What a line of /proc/meminfo says, such as "MemTotal:       24689280 kB".
  static func byteCount(_ name: String, in meminfo: String) -> Int? {
    let line = meminfo.split(separator: "\n").first { $0.hasPrefix(name + ":") }
    return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 }
  }

  /// The smallest of all limits.
  /// - Parameter groups: what the files of the control groups say: bytes without swap, or "max".
  static func smallest(memory: Int, swap: Int, ofGroups groups: [String]) -> MemoryLimit {
    let machine = MemoryLimit(name: "this machine", byteCount: memory + swap)
    let limits = groups.compactMap { text in
      Int(text.prefix { $0.isNumber }).map { $0.addingReportingOverflow(swap) }
    }
    guard let least = limits.filter({ !$0.overflow }).map(\.partialValue).min(),
      least < machine.byteCount
    else { return machine }
    return MemoryLimit(name: "the control group of this process", byteCount: least)
  }

  /// The content of a small file of the system's.
  private static func text(_ path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 14)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }
}

/// The control groups that a process is in, as /proc/self/cgroup lists them.
struct ControlGroups {
  /// The files that limit memory, of the groups and all groups around them; some may not be there.
  let memoryLimitFiles: [String]

  init(_ list: String) {
    var files: [String] = []
    for line in list.split(separator: "\n") {
      // Version 2 has one line "0::PATH"; version 1 has a line "5:memory:PATH" for it.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let controllers = fields[1].split(separator: ",")
      guard fields[1].isEmpty || controllers.contains("memory") else { continue }
      let (root, name) =
        fields[1].isEmpty
        ? ("/sys/fs/cgroup", "memory.max")
        : ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
      var group = fields[2].split(separator: "/")
      while true {
        files.append(([root] + group.map(String.init) + [name]).joined(separator: "/"))
        if group.isEmpty { break }
        group.removeLast()
      }
    }
    memoryLimitFiles = files
  }
}

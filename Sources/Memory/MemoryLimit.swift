import KernelFiles

/// The most memory that processes can have here: what the machine has, or what the control group leaves of it.
public struct MemoryLimit: Equatable, Sendable {
  /// Whose it is, such as "this machine".
  public let name: String
  /// Memory and swap together.
  public let byteCount: Int

  /// Of this process, as it was at its start; nil if the system does not tell.
  public static let here: MemoryLimit? = {
    let meminfo = KernelFile.text("/proc/meminfo") ?? ""
    guard let memory = byteCount("MemTotal", in: meminfo) else { return nil }
    return smallest(
      memory: memory, swap: byteCount("SwapTotal", in: meminfo) ?? 0,
      ofGroups: ControlGroup.ofThisProcess(limiting: "memory").compactMap { group in
        KernelFile.text(
          "\(group.folder)/\(group.isUnified ? "memory.max" : "memory.limit_in_bytes")")
      })
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
}

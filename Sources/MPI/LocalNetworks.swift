import Glibc

/// Networks that end on this host, such as Docker's: every host has one of its own, often with the same addresses. MPI
/// would take them for one network, and wait for ever for hosts that it looks for in there.
package enum LocalNetworks {
  /// What Open MPI leaves out anyway.
  private static let usualExclusion = "127.0.0.1/8,sppp"
  /// How the interfaces are called that Docker, Podman, libvirt, LXC and Kubernetes make.
  private static let prefixes = ["docker", "podman", "virbr", "lxcbr", "lxdbr", "cni"]

  /// The value of Open MPI's `btl_tcp_if_exclude` that leaves them out; nil where there are none.
  /// - Parameter interfaces: names of this host's.
  package static func exclusion(_ interfaces: [String]) -> String? {
    let local = Set(interfaces).filter(isLocal).sorted()
    return local.isEmpty ? nil : ([usualExclusion] + local).joined(separator: ",")
  }

  private static func isLocal(_ name: String) -> Bool {
    if prefixes.contains(where: { prefix in
      name.hasPrefix(prefix) && name.dropFirst(prefix.count).allSatisfy(\.isNumber)
    }) {
      return true
    }
    // Docker's further networks: "br-" and 12 digits of their identity.
    let digits = name.dropFirst(3)
    return name.hasPrefix("br-") && digits.count == 12 && digits.allSatisfy(\.isHexDigit)
  }

  /// Names of this host's interfaces.
  static var interfaces: [String] {
    guard let list = if_nameindex() else { return [] }
    defer { if_freenameindex(list) }
    var names: [String] = []
    var entry = list
    while let name = entry.pointee.if_name {
      names.append(String(cString: name))
      entry += 1
    }
    return names
  }

  /// Whether somebody has chosen networks: in the environment, as mpirun's options are, too, or in Open MPI's files.
  static var areChosen: Bool {
    let names = ["btl_tcp_if_include", "btl_tcp_if_exclude"]
    if names.contains(where: { getenv("OMPI_MCA_\($0)") != nil }) { return true }
    let home = getenv("HOME").map { String(cString: $0) } ?? ""
    let files = ["/etc/openmpi/openmpi-mca-params.conf", home + "/.openmpi/mca-params.conf"]
    return files.contains { path in
      guard let file = fopen(path, "r") else { return false }
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 1024)
      while fgets(&line, Int32(line.count), file) != nil {
        let text = String(
          decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let setting = text.drop { $0 == " " || $0 == "\t" }
        if names.contains(where: { setting.hasPrefix($0) }) { return true }
      }
      return false
    }
  }
}

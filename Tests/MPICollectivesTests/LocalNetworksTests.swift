import MPI
import Testing

struct LocalNetworksTests {
  @Test func networksOfContainersAreLeftOut() {
    #expect(
      LocalNetworks.exclusion(["lo", "virbr0", "eth0", "docker0", "br-0123456789ab"])
        == "127.0.0.1/8,sppp,br-0123456789ab,docker0,virbr0")
    for name in ["docker12", "podman1", "lxcbr0", "lxdbr0", "cni0"] {
      #expect(LocalNetworks.exclusion([name])?.hasSuffix(",\(name)") == true)
    }
  }

  @Test(arguments: [
    "eth0", "lo", "ib0", "bond0", "br0", "br-lan", "br-0123456789abc", "enp1s0", "dockernet",
    "virbr0-nic",
  ])
  func otherNetworksStay(name: String) { #expect(LocalNetworks.exclusion([name]) == nil) }
}

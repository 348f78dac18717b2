/// Whose collective operations move sums between hosts.
public enum NetworkCollectives: String, Sendable, Codable, CaseIterable {
  /// The program's own schedules: the same bits for any number of hosts.
  case own
  /// The transport's, such as MPI's, which may use a network's hardware. Each host adds up its own rows, and in which
  /// order hosts are added is the transport's affair: other hosts, or another version of it, other last digits.
  case mpi
}

/// What OpenMP's environment variables say of threads: sites and users set them for every program.
public struct OpenMPVariables: Equatable, Sendable {
  /// OMP_NUM_THREADS, of a list the first number; nil if it is not set, or no number of threads.
  public let threadCount: Int?
  /// OMP_THREAD_LIMIT; nil if it is not set, or no number of threads.
  public let threadLimit: Int?

  /// - Parameter value: the value of an environment variable; nil if it is not set.
  public init(_ value: (String) -> String?) {
    func number(_ name: String) -> Int? {
      let text = value(name)?.split(separator: ",", omittingEmptySubsequences: false).first
      let digits = text?.filter { $0 != " " && $0 != "\t" }
      return digits.flatMap { Int($0) }.flatMap { $0 >= 1 ? $0 : nil }
    }
    threadCount = number("OMP_NUM_THREADS")
    threadLimit = number("OMP_THREAD_LIMIT")
  }

  /// How many threads a rank takes if its share of the processors is so many.
  public func threadCount(ofShare share: Int) -> Int {
    min(threadCount ?? share, threadLimit ?? .max)
  }
}

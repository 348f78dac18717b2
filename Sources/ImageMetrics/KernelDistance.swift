/// The kernel distance of two sets (KID; Bińkowski et al., 2018): the squared maximum mean discrepancy with the kernel
/// `(x·y / size + 1)³`, estimated without bias. It can be below 0.
///
/// Other programs take the mean over random subsets of 1,000 images; here the sets are taken whole.
public enum KernelDistance {
  /// - Parameters:
  ///   - firstWithin: the first set compared with itself, with kernel sums; 2 images at least.
  ///   - secondWithin: the second set compared with itself.
  ///   - across: the first set compared with the second.
  public static func between(
    firstWithin: [ImageComparison], secondWithin: [ImageComparison], across: [ImageComparison]
  ) -> Double {
    func sum(_ comparisons: [ImageComparison]) -> Double {
      comparisons.reduce(0) { $0 + $1.kernelSum }
    }
    let (m, n) = (Double(firstWithin.count), Double(secondWithin.count))
    precondition(m > 1 && n > 1 && across.count == firstWithin.count)
    return sum(firstWithin) / (m * (m - 1)) + sum(secondWithin) / (n * (n - 1))
      - 2 * sum(across) / (m * n)
  }
}

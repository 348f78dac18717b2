import Matrices
import VectorKernels

/// What one image of a set is to all images of another, or to the other images of its own set.
///
/// All numbers of an image depend on it and the other set alone: whoever computes them, they have the same bits.
public struct ImageComparison: Equatable, Sendable, BitwiseCopyable {
  /// Neighbours whose distances are kept.
  public static let neighbourCount = 5

  /// Squared Euclidean distances of the nearest ones in ascending order; infinity where there are fewer.
  public var nearest: (Double, Double, Double, Double, Double)
  /// Which image is the nearest one; the first of several. -1 if there is none.
  public var nearestIndex: Int
  /// Σ (x·y / size + 1)³ over all others, in their order.
  public var kernelSum: Double
  /// How many others have this image within the distance of their third neighbour, that distance included.
  public var ballsOfThird: Int
  /// How many others have this image nearer than their fifth neighbour.
  public var ballsOfFifth: Int

  /// An image that has not been compared.
  public init() {
    nearest = (.infinity, .infinity, .infinity, .infinity, .infinity)
    (nearestIndex, kernelSum, ballsOfThird, ballsOfFifth) = (-1, 0, 0, 0)
  }

  public static func == (left: Self, right: Self) -> Bool {
    left.nearest == right.nearest && left.nearestIndex == right.nearestIndex
      && left.kernelSum == right.kernelSum && left.ballsOfThird == right.ballsOfThird
      && left.ballsOfFifth == right.ballsOfFifth
  }

  /// Takes the next other image into account.
  @inline(__always)
  fileprivate mutating func insert(_ distance: Double, index: Int) {
    guard distance < nearest.4 else { return }
    if distance < nearest.0 {
      nearest = (distance, nearest.0, nearest.1, nearest.2, nearest.3)
      nearestIndex = index
    } else if distance < nearest.1 {
      nearest = (nearest.0, distance, nearest.1, nearest.2, nearest.3)
    } else if distance < nearest.2 {
      nearest = (nearest.0, nearest.1, distance, nearest.2, nearest.3)
    } else if distance < nearest.3 {
      nearest = (nearest.0, nearest.1, nearest.2, distance, nearest.3)
    } else {
      nearest.4 = distance
    }
  }
}

/// Compares the images of one set with those of another.
public struct FeatureComparison: Sendable {
  /// What is wanted besides the nearest neighbours.
  public enum Extent: Sendable {
    /// Nothing.
    case neighbours
    /// ``ImageComparison/kernelSum``.
    case kernel
    /// That, and the balls around the others.
    case balls(Radii)
  }

  /// Squared distances of each image of a set to its third and its fifth neighbour in the set.
  public struct Radii: Sendable {
    let third: [Double]
    let fifth: [Double]

    /// - Parameter comparisons: of a set with itself.
    public init(_ comparisons: [ImageComparison]) {
      third = comparisons.map(\.nearest.2)
      fifth = comparisons.map(\.nearest.4)
    }
  }

  private let images: FeatureSet
  private let others: FeatureSet
  private let isOneSet: Bool
  private let extent: Extent
  private let squaredNorms: (images: [Double], others: [Double])

  /// Images are compared with the others.
  public init(_ images: FeatureSet, with others: FeatureSet, _ extent: Extent) {
    self.init(images, others, isOneSet: false, extent)
  }

  /// Each image is compared with all others of its set, but not with itself.
  public init(within images: FeatureSet, _ extent: Extent = .kernel) {
    self.init(images, images, isOneSet: true, extent)
  }

  private init(_ images: FeatureSet, _ others: FeatureSet, isOneSet: Bool, _ extent: Extent) {
    precondition(images.size == others.size, "features of two kinds")
    if case .balls(let radii) = extent { precondition(radii.third.count == others.count) }
    (self.images, self.others, self.isOneSet, self.extent) = (images, others, isOneSet, extent)
    func norms(_ set: FeatureSet) -> [Double] {
      set.values.withUnsafeBufferPointer { values in
        (0..<set.count).map { row in
          var sum = 0.0
          for index in row * set.size..<(row + 1) * set.size {
            sum += Double(values[index]) * Double(values[index])
          }
          return sum
        }
      }
    }
    if case .neighbours = extent {
      squaredNorms = ([], [])
    } else {
      squaredNorms = (norms(images), norms(others))
    }
  }

  /// How many images are compared.
  public var count: Int { images.count }

  /// Compares all images, on all threads of this process.
  public func run() -> [ImageComparison] {
    var results = [ImageComparison](repeating: ImageComparison(), count: count)
    results.withUnsafeMutableBufferPointer { run(0..<count, into: $0) }
    return results
  }

  /// Compares some of the images, on all threads of this process.
  /// - Parameter results: `[rows.count]`.
  public func run(_ rows: Range<Int>, into results: UnsafeMutableBufferPointer<ImageComparison>) {
    precondition(results.count == rows.count && rows.upperBound <= count)
    guard let results = results.baseAddress else { return }
    let pieces = (rows.count + Self.rowsAtATime - 1) / Self.rowsAtATime
    withExtendedLifetime(Box(self)) { box in
      WorkTeam.share(
        { context, begin, end in
          let context = context.assumingMemoryBound(to: Context.self).pointee
          let comparison = context.comparison.takeUnretainedValue().value
          for piece in begin..<end {
            let first = context.begin + piece * Self.rowsAtATime
            let rows = first..<min(first + Self.rowsAtATime, context.end)
            comparison.compare(rows, into: context.results + (first - context.begin))
          }
        }, of: pieces,
        with: Context(
          comparison: .passUnretained(box), begin: rows.lowerBound, end: rows.upperBound,
          results: results))
    }
  }

  private final class Box {
    let value: FeatureComparison
    init(_ value: FeatureComparison) { self.value = value }
  }

  private struct Context: BitwiseCopyable {
    let comparison: Unmanaged<Box>
    let begin, end: Int
    let results: UnsafeMutablePointer<ImageComparison>
  }

  /// Images that stay in the cache while all others pass by.
  private static let rowsAtATime = 64
  /// Images that the kernel takes.
  private static let pointsAtATime = Int(DISTANCE_POINTS)

  private func compare(_ rows: Range<Int>, into results: UnsafeMutablePointer<ImageComparison>) {
    let (size, block) = (images.size, FeatureSet.blockSize)
    let points = Self.pointsAtATime
    let groups = (rows.count + points - 1) / points
    // Rows beyond the end are zeros, and their distances are not looked at.
    var coordinates = [Double](repeating: 0, count: groups * points * size)
    for (place, value) in images.values[rows.lowerBound * size..<rows.upperBound * size]
      .enumerated()
    {
      coordinates[place] = Double(value)
    }
    let kernel = VectorMath.kernels.pointee.squaredDistances
    let blockCount = (others.count + block - 1) / block
    withUnsafeTemporaryAllocation(of: Double.self, capacity: points * block) { distances in
      guard let distances = distances.baseAddress else { return }
      coordinates.withUnsafeBufferPointer { coordinates in
        others.blocks.withUnsafeBufferPointer { blocks in
          guard let coordinates = coordinates.baseAddress, let blocks = blocks.baseAddress else {
            return
          }
          for index in 0..<blockCount {
            let first = index * block
            let width = min(block, others.count - first)
            for group in 0..<groups {
              kernel(
                coordinates + group * points * size, blocks + index * size * block, size, distances)
              for point in 0..<min(points, rows.count - group * points) {
                let place = group * points + point
                take(
                  UnsafeBufferPointer(start: distances + point * block, count: width),
                  first: first, row: rows.lowerBound + place, into: &results[place])
              }
            }
          }
        }
      }
    }
  }

  /// Takes the distances of one image to some neighbours in the other set into account.
  @inline(__always)
  private func take(
    _ distances: UnsafeBufferPointer<Double>, first: Int, row: Int,
    into result: inout ImageComparison
  ) {
    for (lane, distance) in distances.enumerated() {
      let other = first + lane
      if isOneSet && other == row { continue }
      result.insert(distance, index: other)
    }
    if case .neighbours = extent { return }
    let (norm, scale) = (squaredNorms.images[row], 0.5 / Double(images.size))
    squaredNorms.others.withUnsafeBufferPointer { norms in
      var sum = result.kernelSum
      for (lane, distance) in distances.enumerated() {
        if isOneSet && first + lane == row { continue }
        // x·y = (|x|² + |y|² - |x - y|²) / 2
        let base = (norm + norms[first + lane] - distance) * scale + 1
        sum += base * base * base
      }
      result.kernelSum = sum
    }
    guard case .balls(let radii) = extent else { return }
    for (lane, distance) in distances.enumerated() {
      if distance <= radii.third[first + lane] { result.ballsOfThird += 1 }
      if distance < radii.fifth[first + lane] { result.ballsOfFifth += 1 }
    }
  }
}

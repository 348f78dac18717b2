import Matrices

@testable import ImageMetrics

/// Sets of features that tests make up.
enum Sets {
  /// Numbers from a linear congruential generator, in [-1, 1): the same on every machine.
  static func numbers(_ count: Int, seed: UInt32) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return Float(state >> 8) / Float(1 << 23) - 1
    }
  }

  static func features(_ count: Int, size: Int = 3, seed: UInt32, shift: Float = 0) -> FeatureSet {
    FeatureSet(numbers(count * size, seed: seed).map { $0 + shift }, size: size)
  }

  /// The squared distance of two images, one operation after the other.
  static func squaredDistance(_ first: FeatureSet, _ row: Int, _ second: FeatureSet, _ other: Int)
    -> Double
  {
    (0..<first.size).reduce(0.0) { sum, index in
      let difference =
        Double(first.values[row * first.size + index])
        - Double(second.values[other * second.size + index])
      return sum + difference * difference
    }
  }
}

extension ImageComparison {
  var distances: [Double] { [nearest.0, nearest.1, nearest.2, nearest.3, nearest.4] }
}

import Glibc

/// What a classifier says of a set of images.
public struct ClassPredictions: Equatable, Sendable {
  /// Classes.
  public let classCount: Int
  /// Images that the classifier takes for each class, `[classCount]`.
  public let histogram: [Int]
  /// `exp(mean KL(p(class | image) || p(class)))` (Salimans et al., 2016), over the whole set: from 1 to
  /// ``classCount``.
  public let inceptionScore: Double

  /// - Parameter logits: of the classifier, `[images, classCount]`; one image at least.
  public init(logits: [Float], classCount: Int) {
    precondition(classCount > 0 && !logits.isEmpty && logits.count.isMultiple(of: classCount))
    let count = logits.count / classCount
    self.classCount = classCount
    var histogram = [Int](repeating: 0, count: classCount)
    var means = [Double](repeating: 0, count: classCount)
    var entropy = 0.0
    for row in 0..<count {
      let logits = logits[row * classCount..<(row + 1) * classCount].map(Double.init)
      var best = 0
      for index in 1..<classCount where logits[index] > logits[best] { best = index }
      histogram[best] += 1
      let logSum = log(logits.reduce(0) { $0 + exp($1 - logits[best]) })
      for index in 0..<classCount {
        let logarithm = logits[index] - logits[best] - logSum
        let probability = exp(logarithm)
        means[index] += probability
        // 0 log 0 is 0, also where the logarithm is not finite.
        if probability > 0 { entropy += probability * logarithm }
      }
    }
    var entropyOfMeans = 0.0
    for sum in means where sum > 0 {
      let mean = sum / Double(count)
      entropyOfMeans += mean * log(mean)
    }
    self.histogram = histogram
    inceptionScore = exp(entropy / Double(count) - entropyOfMeans)
  }

  /// Half the sum of the differences between ``histogram``'s shares and equal ones (total variation): 0 if all classes
  /// are equally frequent, `1 - 1 / classCount` if there is only one.
  public var distanceFromUniform: Double {
    let count = Double(histogram.reduce(0, +))
    return histogram.reduce(0) { $0 + abs(Double($1) / count - 1 / Double(classCount)) } / 2
  }
}

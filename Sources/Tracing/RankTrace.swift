import Timelines

/// What one rank did in the traced steps.
public struct RankTrace: Sendable {
  public let rank: Int
  public let hostName: String
  /// What was added to this rank's times to make them rank 0's, and how wrong that can be, in nanoseconds.
  public let clockOffset: Int
  public let clockUncertainty: Int
  /// On rank 0's clock, the first step first; in the order in which they ended.
  public let spans: [Timeline.Span]
  private let names: [String]

  /// - Parameters:
  ///   - spans: on the rank's own clock. What ended before the first step is left out.
  ///   - names: the rank's names of spans, by index.
  public init(
    rank: Int, hostName: String, spans: [Timeline.Span], names: [String], clockOffset: Int = 0,
    clockUncertainty: Int = 0
  ) {
    (self.rank, self.hostName, self.names) = (rank, hostName, names)
    (self.clockOffset, self.clockUncertainty) = (clockOffset, clockUncertainty)
    let first = spans.first { $0.kind == .step }?.begin ?? 0
    self.spans = spans.filter { $0.begin >= first }.map {
      Timeline.Span(
        begin: $0.begin + clockOffset, end: $0.end + clockOffset, kind: $0.kind, name: $0.name)
    }
  }

  /// What people call the rank.
  public var title: String { "rank \(rank) on \(hostName)" }

  /// The whole steps.
  var steps: [Timeline.Span] { spans.filter { $0.kind == .step } }

  /// What a span is called.
  func name(of span: Timeline.Span) -> String {
    let own = names.indices.contains(span.name) ? names[span.name] : nil
    return switch span.kind {
    case .step: "step \(span.name)"
    case .waiting: own.map { "waiting: \($0)" } ?? "waiting"
    default: own ?? span.kind.title
    }
  }
}

/// As numbers, for a message.
extension RankTrace {
  private static let numbersOfSpan = 4

  public static func numbers(of spans: [Timeline.Span]) -> [Int] {
    spans.flatMap { [$0.begin, $0.end, Int($0.kind.rawValue), $0.name] }
  }

  public static func spans(from numbers: [Int]) -> [Timeline.Span] {
    stride(from: 0, to: numbers.count - numbersOfSpan + 1, by: numbersOfSpan).map { place in
      Timeline.Span(
        begin: numbers[place], end: numbers[place + 1],
        kind: UInt8(exactly: numbers[place + 2]).flatMap(Timeline.Kind.init(rawValue:)) ?? .passage,
        name: numbers[place + 3])
    }
  }
}

extension Timeline.Kind {
  /// What spans of the kind are called in a trace, and their category there.
  var title: String {
    switch self {
    case .product: "product"
    case .elementwise: "element-wise loop"
    case .random: "random numbers"
    case .update: "Adam"
    case .sum: "sum"
    case .waiting: "waiting"
    case .passage: "passage"
    case .step: "step"
    case .interval: "exchange"
    }
  }
}

import FlightRecorder
import NeuralNetwork

/// Any collective, with a flight recorder: what this rank enters and leaves is recorded under the exchange's name.
public final class RecordedCollective: Collective {
  private let base: any Collective
  private let recorder: FlightRecorder

  public init(_ base: any Collective, recorder: FlightRecorder) {
    self.base = base
    self.recorder = recorder
  }

  public var rank: Int { base.rank }
  public var rankCount: Int { base.rankCount }

  public func willBegin(step: Int) {
    recorder.step = step
    base.willBegin(step: step)
  }

  public func makeGather(name: String, count: Int) throws -> any Gather {
    RecordedGather(try base.makeGather(name: name, count: count), name: name, recorder)
  }

  public func makeReplicas(name: String, byteCount: Int) throws -> any Replicas {
    let replicas = try base.makeReplicas(name: name, byteCount: byteCount)
    // Who shares with nobody meets nobody.
    if replicas is PrivateReplicas { return replicas }
    return RecordedReplicas(replicas, name: name, recorder)
  }

  public func makeReduction(
    name: String, of layout: ParameterLayout, over partition: BatchPartition
  ) throws -> any Reduction {
    RecordedReduction(
      try base.makeReduction(name: name, of: layout, over: partition), name: name,
      byteCount: layout.extent * MemoryLayout<Float>.stride, recorder)
  }
}

/// An exchange by its name in the flight record.
private struct RecordedExchange {
  private let recorder: FlightRecorder
  private let name: Int

  init(_ name: String, _ recorder: FlightRecorder) {
    self.recorder = recorder
    self.name = recorder.register(name: name)
  }

  /// Notes that this rank enters the exchange, and that it leaves it: not if it throws.
  @inline(__always)
  func record<Result>(
    _ kind: FlightRecord.Kind, byteCount: Int, _ work: () throws -> Result
  ) rethrows -> Result {
    recorder.enter(name: name, kind: kind, byteCount: byteCount)
    let result = try work()
    recorder.leave()
    return result
  }
}

private final class RecordedGather: Gather {
  var contribution: UnsafeMutableBufferPointer<Double> { base.contribution }
  var contributions: UnsafeMutableBufferPointer<Double> { base.contributions }
  private let base: any Gather
  private let exchange: RecordedExchange

  init(_ base: any Gather, name: String, _ recorder: FlightRecorder) {
    self.base = base
    exchange = RecordedExchange(name, recorder)
  }

  func run() throws {
    try exchange.record(
      .gather, byteCount: contribution.count * MemoryLayout<Double>.stride
    ) { try base.run() }
  }
}

private final class RecordedReduction: Reduction {
  var parts: [ParameterArena] { base.parts }
  var sum: ParameterArena { base.sum }
  private let base: any Reduction
  private let exchange: RecordedExchange
  private let byteCount: Int

  init(_ base: any Reduction, name: String, byteCount: Int, _ recorder: FlightRecorder) {
    self.base = base
    self.byteCount = byteCount
    exchange = RecordedExchange(name, recorder)
  }

  func start() throws { try exchange.record(.start, byteCount: byteCount) { try base.start() } }
  func finish() throws { try exchange.record(.finish, byteCount: byteCount) { try base.finish() } }
}

private final class RecordedReplicas: Replicas {
  private let base: any Replicas
  private let exchange: RecordedExchange

  init(_ base: any Replicas, name: String, _ recorder: FlightRecorder) {
    self.base = base
    exchange = RecordedExchange(name, recorder)
  }

  func take<Number: Numeric & BitwiseCopyable>(
    _ type: Number.Type, count: Int
  ) throws -> UnsafeMutableBufferPointer<Number> {
    try base.take(type, count: count)
  }

  func share(of count: Int) -> Range<Int> { base.share(of: count) }
  var leads: Bool { base.leads }

  func meet(_ verdict: Bool) throws -> Bool {
    try exchange.record(.gather, byteCount: 0) { try base.meet(verdict) }
  }
}

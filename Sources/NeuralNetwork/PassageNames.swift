import Matrices

/// What a layer's passes are called in a trace.
struct PassageNames {
  let forward: Int
  let backward: Int

  init(_ layer: String) {
    forward = Timeline.register("\(layer) forward")
    backward = Timeline.register("\(layer) backward")
  }
}

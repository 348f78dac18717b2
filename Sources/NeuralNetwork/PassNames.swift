import Timelines

/// What a layer's passes are called in a trace.
struct PassNames {
  let forward, backward, update: Int

  init(_ layer: String) {
    forward = Timeline.register("\(layer) forward")
    backward = Timeline.register("\(layer) backward")
    update = Timeline.register("\(layer) update")
  }
}

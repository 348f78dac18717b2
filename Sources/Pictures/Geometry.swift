/// A place on a canvas in pixels: x to the right, y downwards.
struct Point: Equatable {
  var x: Double
  var y: Double
}

/// An upright rectangle in pixels.
struct Rectangle: Equatable {
  var left: Double
  var top: Double
  var right: Double
  var bottom: Double

  var width: Double { right - left }
  var height: Double { bottom - top }
}

/// An opaque colour, each channel 0 ... 255.
struct Colour: Equatable {
  let red: UInt8
  let green: UInt8
  let blue: UInt8

  init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  static let white = Colour(255, 255, 255)
  static let text = Colour(32, 32, 32)
  static let frame = Colour(80, 80, 80)
  static let grid = Colour(222, 222, 222)
  static let reference = Colour(110, 110, 110)

  // Okabe and Ito's palette: told apart with every common kind of colour blindness.
  static let blue = Colour(0, 114, 178)
  static let vermillion = Colour(213, 94, 0)
  static let bluishGreen = Colour(0, 158, 115)
  static let reddishPurple = Colour(204, 121, 167)

  /// The grey of a value in [-1, 1], clamped. NaN is a mid red: a grey would hide it.
  init(pixelValue: Float) {
    guard !pixelValue.isNaN else {
      self.init(192, 48, 48)
      return
    }
    let grey = UInt8(((min(max(pixelValue, -1), 1) + 1) * 127.5).rounded())
    self.init(grey, grey, grey)
  }
}

import Glibc

/// One line of the terminal that is drawn again and again.
///
/// Under mpirun a rank's standard output is always a pseudo-terminal; its size tells whether somebody sees it:
/// 0 x 0 when mpirun's own output is no terminal.
final class LiveLine: @unchecked Sendable {
  private var isDrawn = false

  /// Nil where there is no terminal with a width.
  init?() {
    guard isatty(STDOUT_FILENO) == 1, Self.width > 0 else { return nil }
  }

  /// Columns of the terminal; 0 where there is none.
  private static var width: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 else { return 0 }
    return Int(size.ws_col)
  }

  /// Draws the text over the line before, cut to the terminal's width.
  func draw(_ text: String) {
    let visible = String(text.prefix(max(Self.width - 1, 0)))
    Console.draw("\r\(visible)\u{1B}[K")
    isDrawn = true
  }

  /// Makes the line empty, so that other text can take its place.
  func clear() {
    guard isDrawn else { return }
    Console.draw("\r\u{1B}[K")
    isDrawn = false
  }
}

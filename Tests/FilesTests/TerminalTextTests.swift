import Files
import Testing

@Suite struct TerminalTextTests {
  @Test(arguments: [
    "", "plain text", "Füße, 画像, 😀", "tab-free: \\ \" '", "می\u{200C}خواهم", "👩\u{200D}🔬",
  ])
  func whatOnlyReadsStays(text: String) {
    #expect(text.escapedForTerminal.unicodeScalars.elementsEqual(text.unicodeScalars))
  }

  @Test(arguments: [
    ("a\u{1B}[31mb", "a\\u{1b}[31mb"), ("a\u{1B}]0;title\u{7}", "a\\u{1b}]0;title\\u{7}"),
    ("a\nb\r\tc", "a\\nb\\r\\tc"), ("a\r\nb", "a\\r\\nb"),
    ("\u{0}\u{8}\u{7F}", "\\u{0}\\u{8}\\u{7f}"),
    ("\u{9B}31m", "\\u{9b}31m"), ("\u{85}\u{2028}\u{2029}", "\\u{85}\\u{2028}\\u{2029}"),
    ("a\u{202E}b\u{2066}\u{200F}", "a\\u{202e}b\\u{2066}\\u{200f}"),
    ("\u{FEFF}\u{AD}\u{E0041}", "\\u{feff}\\u{ad}\\u{e0041}"),
    // An escape hides behind no accent.
    ("e\u{1B}\u{301}", "e\\u{1b}\u{301}"),
  ])
  func whatActsIsShown(text: String, shown: String) {
    #expect(text.escapedForTerminal == shown)
    #expect(!text.escapedForTerminal.unicodeScalars.contains { $0.value < 0x20 })
  }

  @Test func linesMayStay() {
    #expect("a\u{1B}\nb\r\n".escapedForTerminalByLine == "a\\u{1b}\nb\\r\n")
  }

  @Test(arguments: [
    ([UInt8]("runs/a".utf8), "runs/a"), ([0x61, 0xFF, 0x62], "a\\xffb"),
    // A character cut short, one too long, half a surrogate pair.
    ([0xC3], "\\xc3"), ([0xC0, 0xAF], "\\xc0\\xaf"), ([0xED, 0xA0, 0x80], "\\xed\\xa0\\x80"),
    ([0xC3, 0xA9, 0xC3, 0x28, 0x1B, 0x0A], "é\\xc3(\\u{1b}\\n"), ([], ""),
  ])
  func bytesThatAreNoTextAreShown(bytes: [UInt8], shown: String) {
    #expect(String(escapingForTerminal: bytes) == shown)
  }
}

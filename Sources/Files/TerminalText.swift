/// Text from elsewhere, made safe for a terminal and for a log.
///
/// A name may hold what moves the cursor, colours the screen, turns the reading direction or begins
/// a line that looks like the program's own.
extension String {
  /// The text on one line: whatever acts on a terminal stands there as `\n` or `\u{1b}`.
  public var escapedForTerminal: String { escaped { !Self.acts($0) } }

  /// As `escapedForTerminal`, but lines stay lines: for text that the program wrote itself.
  public var escapedForTerminalByLine: String { escaped { $0 == "\n" || !Self.acts($0) } }

  /// Bytes that should be text: those that are no UTF-8 stand there as `\xff`, the others as in
  /// `escapedForTerminal`.
  public init(escapingForTerminal bytes: some Sequence<UInt8>) {
    var text = ""
    var decoder = Unicode.UTF8.ForwardParser()
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      var iterator = rest.makeIterator()
      decoder = Unicode.UTF8.ForwardParser()
      if case .valid(let encoded) = decoder.parseScalar(from: &iterator) {
        text.unicodeScalars.append(Unicode.UTF8.decode(encoded))
        rest = rest.dropFirst(encoded.count)
      } else {
        text += "\\x" + String(rest[rest.startIndex], radix: 16)
        rest = rest.dropFirst()
      }
    }
    self = text.escapedForTerminal
  }

  private func escaped(unless isHarmless: (Unicode.Scalar) -> Bool) -> String {
    // Nearly all texts are harmless.
    if unicodeScalars.allSatisfy(isHarmless) { return self }
    var text = ""
    for scalar in unicodeScalars {
      if isHarmless(scalar) {
        text.unicodeScalars.append(scalar)
      } else {
        text += Self.escape(scalar)
      }
    }
    return text
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    default: "\\u{\(String(scalar.value, radix: 16))}"
    }
  }

  /// Whether a scalar does something in place of being seen.
  private static func acts(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: return true
    // Overrides of direction and the like. Two joiners belong to the spelling of words.
    case .format: return scalar != "\u{200C}" && scalar != "\u{200D}"
    default: return false
    }
  }
}
